use std::path::PathBuf;
use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::config::history::Version;
use xylem_ops::config::{
    Change, ConfigProblem, ConfigReport, ConfigText, Origin, Preview, Saved, Setting, Settings, TEXT_BYTES,
};

use crate::config::{self, Problems};
use crate::instance::{Instance, Reread};
use crate::reload::{needs_restart, reload};
use crate::settings::{self, Difference, File, Past, Unwritten};

/// `config.*`
pub struct SettingsBackend {
    instance: Arc<Instance>,
    /// Held while the file is replaced.
    saving: tokio::sync::Mutex<()>,
    /// The keys as they were when the server started: what waits for a restart is other than these.
    started: Vec<config::Setting>,
}

/// Where a throw-away server would have its file, for messages.
const NO_FILE: &str = "this server was started without a configuration file, and keeps none";

impl SettingsBackend {
    pub fn new(instance: Arc<Instance>) -> Self {
        let mut backend = Self { instance, saving: tokio::sync::Mutex::default(), started: Vec::new() };
        backend.started = backend.present().map(|(settings, _)| settings).unwrap_or_default();
        backend
    }

    /// The file; the one that will be read at the next start if there is none yet.
    fn file(&self) -> Option<File> {
        match &self.instance.reread {
            Reread::Never => None,
            Reread::File(Some(file)) => Some(File(file.clone())),
            Reread::File(None) => {
                let found = self.instance.config.load().file.clone();
                Some(File(found.unwrap_or_else(|| PathBuf::from("xylem.toml"))))
            }
        }
    }

    /// Whether there is a file to write.
    pub fn is_writable(&self) -> bool {
        self.file().is_some()
    }

    fn name(&self) -> Option<String> {
        self.file().map(|file| std::path::absolute(&file.0).unwrap_or(file.0).display().to_string())
    }

    fn text_and_mark(&self) -> Result<(String, String), OpError> {
        match self.file() {
            None => Ok((config::DEV.to_owned(), String::new())),
            Some(file) => {
                let unread = |error| OpError::Failed(format!("{}: {error}", file.0.display()));
                file.read().map_err(unread)
            }
        }
    }

    /// The keys that are written now, and the text they are written in.
    fn present(&self) -> Result<(Vec<config::Setting>, String), OpError> {
        let (text, _) = self.text_and_mark()?;
        let name = self.name().unwrap_or_else(|| "config/dev.toml".to_owned());
        let (_, settings) =
            settings::explain(&name, &text).map_err(|problems| OpError::Invalid(problems.to_string()))?;
        Ok((settings::with_command_line(settings, &self.instance.config.load()), text))
    }

    fn past(&self) -> Past {
        Past::of(&self.instance.config.load().server.data)
    }

    fn preview_of(&self, text: String) -> Result<Preview, OpError> {
        let (present, _) = self.present()?;
        let name = self.name().unwrap_or_else(|| "xylem.toml".to_owned());
        let (config, settings) = match settings::explain(&name, &text) {
            Ok(read) => read,
            Err(problems) => return Ok(Preview { problems: told(&problems), changes: Vec::new(), text }),
        };
        if let Err(problems) = self.instance.plugins.validate(&config) {
            return Ok(Preview { problems: told(&problems), changes: Vec::new(), text });
        }
        let settings = settings::with_command_line(settings, &self.instance.config.load());
        let changes = settings::differences(&present, &settings).into_iter().map(change).collect();
        Ok(Preview { problems: Vec::new(), changes, text })
    }

    /// Writes and reloads, on a thread that may wait for disks.
    fn write(&self, text: &str, mark: Option<&str>) -> Result<Saved, OpError> {
        let file = self.file().ok_or_else(|| OpError::Conflict(NO_FILE.to_owned()))?;
        let shown = self.name().unwrap_or_default();
        let unwritten = |error: Unwritten| match error {
            Unwritten::Stale(_) => OpError::Conflict(error.to_string()),
            Unwritten::Io(..) => OpError::Failed(error.to_string()),
        };
        let (before, replaced) = file.write(text, mark, &self.past()).map_err(unwritten)?;
        match reload(&self.instance) {
            Ok(report) => Ok(Saved { file: shown, replaced, report }),
            Err(error) => {
                file.put(&before).map_err(|io| OpError::Failed(format!("{error:#}; and {shown}: {io}")))?;
                Err(OpError::Invalid(format!("nothing was changed: {error:#}")))
            }
        }
    }
}

impl Settings for SettingsBackend {
    fn show(&self) -> Answer<'_, ConfigReport> {
        Box::pin(async move {
            let (present, _) = self.present()?;
            let mut pending = settings::differences(&self.started, &present);
            pending.retain(|difference| difference.restart);
            Ok(ConfigReport {
                file: self.name(),
                writable: self.file().is_some(),
                settings: present.into_iter().map(setting).collect(),
                pending: pending.into_iter().map(change).collect(),
            })
        })
    }

    fn text(&self) -> Answer<'_, ConfigText> {
        Box::pin(async move {
            let (text, mark) = self.text_and_mark()?;
            Ok(ConfigText { file: self.name(), text, mark })
        })
    }

    fn preview(&self, text: String) -> Answer<'_, Preview> {
        Box::pin(async move { self.preview_of(text) })
    }

    fn with(&self, section: String, key: String, value: Option<String>) -> Answer<'_, Preview> {
        Box::pin(async move {
            let (text, _) = self.text_and_mark()?;
            let text = settings::set(&text, &section, &key, value.as_deref()).map_err(OpError::Invalid)?;
            self.preview_of(text)
        })
    }

    fn save(&self, text: String, mark: Option<String>) -> Answer<'_, Saved> {
        Box::pin(async move {
            if text.len() > TEXT_BYTES {
                return Err(OpError::Invalid(format!("the configuration is longer than {} KiB", TEXT_BYTES >> 10)));
            }
            let _alone = self.saving.lock().await;
            let preview = self.preview_of(text)?;
            if !preview.problems.is_empty() {
                let problems = preview.problems.iter().map(|it| format!("{}: {}", it.place, it.message));
                return Err(OpError::Invalid(problems.collect::<Vec<_>>().join("\n")));
            }
            tokio::task::block_in_place(|| self.write(&preview.text, mark.as_deref()))
        })
    }

    fn history(&self) -> Answer<'_, Vec<Version>> {
        Box::pin(async move {
            let versions = self.past().list().map_err(|error| OpError::Failed(error.to_string()))?;
            Ok(versions.into_iter().map(|version| Version { id: version.id, bytes: version.bytes }).collect())
        })
    }

    fn version(&self, id: u64) -> Answer<'_, Preview> {
        Box::pin(async move {
            let text = self.past().text(id).map_err(|error| OpError::Failed(error.to_string()))?;
            self.preview_of(text.ok_or_else(|| OpError::NotFound(format!("there is no configuration {id}")))?)
        })
    }
}

fn told(problems: &Problems) -> Vec<ConfigProblem> {
    let told = problems.0.iter().map(|it| ConfigProblem { place: it.place.clone(), message: it.message.clone() });
    told.collect()
}

fn change(difference: Difference) -> Change {
    let Difference { section, key, before, after, restart } = difference;
    Change { section, key, before, after, restart }
}

fn setting(setting: config::Setting) -> Setting {
    let restart = needs_restart(&setting.section, &setting.key);
    let config::Setting { section, key, value, default, bounds, origin } = setting;
    let origin = match origin {
        config::Origin::Default => Origin::Default,
        config::Origin::File(place) => Origin::File(place),
        config::Origin::Environment(variable) => Origin::Environment(variable),
        config::Origin::CommandLine => Origin::CommandLine,
    };
    Setting { section, key, value, default, bounds, origin, restart }
}
