//! Reading an export into a backend.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::backend::{Backend, Scan};
use crate::batch::{Batch, MAX_KEY, MAX_STORED, MAX_TABLE_NAME, Op};
use crate::error::{Result, StoreError};
use crate::export::{Counts, MARK, VERSION};
use crate::store::Store;

const BATCH_BYTES: usize = 1 << 20;
const BATCH_ENTRIES: usize = 1000;
const MAX_RECORD: usize = MAX_KEY + MAX_STORED + MAX_TABLE_NAME + 16;

/// Reads the whole file and checks every record and the end mark.
///
/// # Errors
/// [`StoreError::BadExport`] with the position of the first bad record.
pub fn verify(path: &Path) -> Result<Counts> {
    let mut reader = Reader::open(path)?;
    while reader.next()?.is_some() {}
    Ok(reader.counts)
}

/// Imports into an empty backend. Nothing is written unless the whole file is
/// good; a crash in between leaves a part, so import into a database that is
/// not yet in use.
///
/// # Errors
/// [`StoreError::BadExport`], [`StoreError::NotEmpty`], those of the backend.
pub fn import(path: &Path, backend: &dyn Backend) -> Result<Counts> {
    verify(path)?;
    for table in backend.tables()? {
        if !backend.scan(&table, &Scan::all().limit(1))?.is_empty() {
            return Err(StoreError::NotEmpty);
        }
    }
    write(path, backend)
}

impl Store {
    /// Imports into a running store that may hold data: the entries of the file
    /// replace those of the same name, others stay. Turns wait meanwhile.
    /// Partitions that somebody holds do not show what was imported.
    ///
    /// # Errors
    /// As [`import`], [`StoreError::Exporting`]; an error of the backend makes the store read-only.
    pub async fn import(&self, path: &Path) -> Result<Counts> {
        self.shared().fuse.check()?;
        let from = path.to_owned();
        self.read_file(move || verify(&from)).await?;
        let (sender, done) = tokio::sync::oneshot::channel();
        let (shared, from) = (Arc::clone(self.shared()), path.to_owned());
        let job = move |backend: &dyn Backend, recorder: &mut crate::queue::Recorder| {
            if recorder.is_recording() {
                let _ = sender.send(Err(StoreError::Exporting));
                return;
            }
            let result = shared.fuse.check().and_then(|()| write(&from, backend));
            if let Err(error) = &result {
                shared.fail(error);
            }
            shared.imported.store(true, Ordering::Release);
            shared.cache.clear();
            let _ = sender.send(result);
        };
        self.run_job(job).await;
        done.await.map_err(|_| StoreError::Closed)?
    }
}

fn write(path: &Path, backend: &dyn Backend) -> Result<Counts> {
    let mut reader = Reader::open(path)?;
    let mut batch = Batch::new();
    let mut bytes = 0;
    while let Some(op) = reader.next()? {
        bytes += op.key.len() + op.value.as_ref().map_or(0, Vec::len);
        batch.push(op);
        if bytes >= BATCH_BYTES || batch.ops().len() >= BATCH_ENTRIES {
            backend.commit(&std::mem::take(&mut batch))?;
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        backend.commit(&batch)?;
    }
    Ok(reader.counts)
}

struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    tables: HashMap<u32, Arc<str>>,
    counts: Counts,
    ended: bool,
}

impl Reader {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| StoreError::io(path, &error))?;
        let file = BufReader::with_capacity(1 << 18, file);
        let (tables, counts) = (HashMap::new(), Counts::default());
        let mut reader = Self { path: path.to_owned(), file, tables, counts, ended: false };
        if &reader.exactly::<8>(0)? != MARK {
            return Err(reader.bad(0, "not an export of Xylem"));
        }
        if u32::from_le_bytes(reader.exactly(8)?) != VERSION {
            return Err(reader.bad(8, "an export of an unknown version"));
        }
        Ok(reader)
    }

    /// The next write; `None` after the end mark.
    fn next(&mut self) -> Result<Option<Op>> {
        while !self.ended {
            let start = self.counts.bytes;
            let body = self.body(start)?;
            let op = self.parse(&body).ok_or_else(|| self.bad(start, "unreadable record"))?;
            if op.is_some() {
                return Ok(op);
            }
        }
        let mut rest = [0];
        match self.file.read(&mut rest) {
            Ok(0) => Ok(None),
            Ok(_) => Err(self.bad(self.counts.bytes, "data after the end mark")),
            Err(error) => Err(StoreError::io(&self.path, &error)),
        }
    }

    fn body(&mut self, start: u64) -> Result<Vec<u8>> {
        let length = u32::from_le_bytes(self.exactly(start)?) as usize;
        let crc = u32::from_le_bytes(self.exactly(start)?);
        if length > MAX_RECORD {
            return Err(self.bad(start, "a record that is too long"));
        }
        let mut body = vec![0; length];
        self.fill(&mut body, start)?;
        if crc32fast::hash(&body) != crc {
            return Err(self.bad(start, "checksum does not match"));
        }
        Ok(body)
    }

    /// `None`: unreadable; `Some(None)`: a record that writes nothing.
    fn parse(&mut self, body: &[u8]) -> Option<Option<Op>> {
        let (kind, body) = body.split_first()?;
        if *kind == b'E' {
            let (puts, body) = body.split_first_chunk::<8>()?;
            let deletes = <[u8; 8]>::try_from(body).ok()?;
            let told = (u64::from_le_bytes(*puts), u64::from_le_bytes(deletes));
            self.ended = told == (self.counts.puts, self.counts.deletes);
            return self.ended.then_some(None);
        }
        let (number, body) = body.split_first_chunk::<4>()?;
        let number = u32::from_le_bytes(*number);
        if *kind == b'T' {
            self.tables.insert(number, std::str::from_utf8(body).ok()?.into());
            return Some(None);
        }
        let table = Arc::clone(self.tables.get(&number)?);
        match kind {
            b'P' => {
                let (length, body) = body.split_first_chunk::<4>()?;
                let (key, value) = body.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                self.counts.puts += 1;
                Some(Some(Op { table, key: key.to_vec(), value: Some(value.to_vec()) }))
            }
            b'D' => {
                self.counts.deletes += 1;
                Some(Some(Op { table, key: body.to_vec(), value: None }))
            }
            _ => None,
        }
    }

    fn exactly<const N: usize>(&mut self, start: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, start)?;
        Ok(bytes)
    }

    /// Reads a part of the record that begins at `start`.
    fn fill(&mut self, bytes: &mut [u8], start: u64) -> Result<()> {
        match self.file.read_exact(bytes) {
            Ok(()) => {
                self.counts.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(self.bad(start, "the file ends before its end mark"))
            }
            Err(error) => Err(StoreError::io(&self.path, &error)),
        }
    }

    fn bad(&self, position: u64, what: &str) -> StoreError {
        StoreError::BadExport { path: self.path.clone(), position, what: what.into() }
    }
}
