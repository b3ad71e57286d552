//! `login`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ocicle::text::printable;

use crate::{
    ask::{Echo, ask, read_input},
    context::Context,
    failure::Failure,
    net::{AuthFileChoice, Login as Credentials, log_in, logged_in},
};

/// Store the password of a registry, once the registry has accepted it.
///
/// It is stored where podman, skopeo and buildah have it: in `$XDG_RUNTIME_DIR/containers/auth.json`, else in
/// `~/.config/containers/auth.json`, or by the credential helper that this file names. Docker's own file is
/// read, and written with `--authfile ~/.docker/config.json`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle login quay.io\n  \
                        ocicle login ghcr.io -u ann --password-stdin <token\n  \
                        ocicle login --get-login quay.io")]
pub(crate) struct Login {
    /// The registry: `HOST[:PORT]`, or a part of it, `HOST/NAMESPACE`.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// The user name; asked for by default.
    #[arg(short, long, value_name = "USER")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input; it is asked for by default.
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// The file of credentials [default: `REGISTRY_AUTH_FILE`, else as above].
    #[arg(long, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,
    /// Print the user that is logged in, and change nothing.
    #[arg(long, conflicts_with_all = ["username", "password_stdin"])]
    pub(crate) get_login: bool,
}

impl Login {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let file = AuthFileChoice(self.authfile.clone());
        if self.get_login {
            let user = logged_in(&self.host, &file)?;
            let user = user.ok_or_else(|| Failure::failed(format!("not logged in to {}", self.host)))?;
            context.print_lines([printable(&user)])?;
            return Ok(ExitCode::SUCCESS);
        }
        let credentials = self.credentials()?;
        log_in(&self.host, &credentials, &file, context.net())?;
        context.detail(format_args!(
            "logged in to {} as {}",
            printable(&self.host),
            printable(&credentials.user)
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        let ask = |question: &str, echo| {
            let asked = ask(question, echo).map_err(|error| Failure::failed(format!("ask: {error}")))?;
            asked.ok_or_else(|| {
                Failure::usage("no terminal to ask for the password").hint(format!(
                    "ocicle login {} -u {} --password-stdin",
                    self.host,
                    self.username.as_deref().unwrap_or("USER")
                ))
            })
        };
        let user = match &self.username {
            Some(user) => user.clone(),
            None => ask("user name: ", Echo::Shown)?,
        };
        let password = match self.password_stdin {
            true => read_input().map_err(|error| Failure::failed(format!("read the password: {error}")))?,
            false => ask("password: ", Echo::Hidden)?,
        };
        match () {
            () if user.is_empty() => Err(Failure::usage("empty user name")),
            () if user.contains(':') => Err(Failure::usage("a user name cannot have a colon")),
            () if password.is_empty() => Err(Failure::usage("empty password")),
            () => Ok(Credentials { user, password }),
        }
    }
}
