//! The history entry of an edit.

use clap::Args as ClapArgs;
use ocicle::spec::{History, is_date_time};

use crate::{clock, failure::Failure};

#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "History")]
pub(crate) struct HistoryArgs {
    /// Add no entry to the history.
    #[arg(
        long,
        conflicts_with_all = ["history_author", "history_comment", "history_created", "history_created_by"]
    )]
    pub(crate) no_history: bool,
    /// Author of the entry.
    #[arg(long, value_name = "TEXT")]
    pub(crate) history_author: Option<String>,
    /// Comment of the entry.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) history_comment: Option<String>,
    /// Date of the entry, RFC 3339; SOURCE_DATE_EPOCH or now by default.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) history_created: Option<String>,
    /// Command in the entry; `ocicle COMMAND` by default.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) history_created_by: Option<String>,
    /// Whether an entry without an author gets that of the image, as in umoci.
    #[arg(skip)]
    pub(crate) by_author_of_image: bool,
}

impl HistoryArgs {
    /// Returns the history entry of a command on an image with this author.
    pub(crate) fn entry_by(&self, command: &str, author: Option<&str>) -> Result<Option<History>, Failure> {
        let author = author.filter(|author| self.by_author_of_image && !author.is_empty());
        let entry = self.entry(command)?.map(|mut entry| {
            entry.author = entry.author.or_else(|| author.map(str::to_owned));
            entry
        });
        Ok(entry)
    }

    /// Returns the history entry of a command; `None` if there is to be none.
    pub(crate) fn entry(&self, command: &str) -> Result<Option<History>, Failure> {
        if self.no_history {
            return Ok(None);
        }
        let created = match &self.history_created {
            Some(date) => date.clone(),
            None => clock::now()?.to_string(),
        };
        let command = self.history_created_by.clone().unwrap_or_else(|| format!("ocicle {command}"));
        let mut entry = History::default().with_created(created).with_created_by(command);
        entry.author.clone_from(&self.history_author);
        entry.comment.clone_from(&self.history_comment);
        Ok(Some(entry))
    }
}

fn date(text: &str) -> Result<String, String> {
    if is_date_time(text) {
        return Ok(text.into());
    }
    Err("expected an RFC 3339 date, such as 2026-01-31T12:00:00Z".into())
}
