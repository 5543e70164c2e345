use std::path::{Path, PathBuf};
use std::process::Command;

/// `EXT4_IOC_SHUTDOWN`, `_IOR('X', 125, __u32)`, with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
/// Perl, which every Debian has, makes the call without unsafe code here.
const SHUTDOWN: &str = "open(my $root, '<', $ARGV[0]) or die $!; my $flags = pack('L', 2); \
                        ioctl($root, 0x8004587d, $flags) or die $!;";

/// An ext4 in a file whose power can be cut.
pub(crate) struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    /// Makes and mounts it; the reason when that is not allowed here.
    pub(crate) fn new() -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = Self { dir };
        std::fs::create_dir(disk.mount_point()).map_err(|error| error.to_string())?;
        let image = std::fs::File::create(disk.image()).map_err(|error| error.to_string())?;
        image.set_len(1 << 30).map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q".as_ref(), disk.image().as_ref()])?;
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn mount_point(&self) -> PathBuf {
        self.dir.path().join("mount")
    }

    /// From here on nothing reaches the disk any more.
    pub(crate) fn cut(&self) {
        run("perl", &["-e".as_ref(), SHUTDOWN.as_ref(), self.mount_point().as_ref()]).unwrap();
    }

    /// Forgets all that is in memory, and replays the journal.
    pub(crate) fn remount(&self) {
        run("umount", &[self.mount_point().as_ref()]).unwrap();
        self.mount().unwrap();
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), self.image().as_ref(), self.mount_point().as_ref()])
    }

    fn image(&self) -> PathBuf {
        self.dir.path().join("disk.img")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &[self.mount_point().as_ref()]);
    }
}

fn run(program: &str, args: &[&Path]) -> Result<(), String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
