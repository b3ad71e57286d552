//! The runtime's `config.json`, from an image config (image-spec, conversion.md).
//!
//! The same image and the same id maps result in the same bytes on every machine.

mod defaults;
mod userns;
mod users;
mod volumes;

use serde_json::{Value, json};

pub use self::{users::Users, volumes::Volumes};
use super::{files::CONFIG, options::RuntimeOptions};
use crate::{
    error::{Error, Result},
    name::EntryPath,
    spec::{ContainerConfig, ImageConfig},
};

/// Refuses images that no Linux runtime can start.
///
/// # Errors
/// [`Error::Unsupported`].
pub(super) fn check_supported(config: &ImageConfig) -> Result<()> {
    if config.os == "linux" {
        return Ok(());
    }
    let message =
        format!("unsupported platform: the image is for {:?}, and a bundle needs \"linux\"", config.os);
    Err(Error::Unsupported(message))
}

/// A `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeConfig {
    /// The document.
    pub text: Vec<u8>,
    /// Whether it starts the image's user. If not, the user is unknown, and it starts root.
    pub user_known: bool,
    /// The volumes that are not mounted, because something other than a directory is there.
    pub unmounted: Vec<EntryPath>,
}

/// Returns the `config.json` for an image.
///
/// # Errors
/// [`Error::Unsupported`] for an image that is not for Linux; [`Error::Document`] for a user that the image
/// does not have, or a malformed variable.
pub fn runtime_config(
    config: &ImageConfig,
    users: &Users,
    volumes: &Volumes,
    options: &RuntimeOptions,
) -> Result<RuntimeConfig> {
    check_supported(config)?;
    let run = config.config.clone().unwrap_or_default();
    let user = users.resolve(run.user.as_deref().unwrap_or(""))?;

    let mut spec = defaults::spec();
    spec["root"] = json!({ "path": options.root });
    spec["process"]["cwd"] = json!(absolute(run.working_dir.as_deref().unwrap_or("")));
    spec["process"]["env"] = json!(environment(&run, user.home.as_deref())?);
    let args: Vec<&String> = run.entrypoint.iter().flatten().chain(run.cmd.iter().flatten()).collect();
    if !args.is_empty() {
        spec["process"]["args"] = json!(args);
    }
    spec["process"]["user"] = json!({ "uid": user.uid, "gid": user.gid });
    if !user.groups.is_empty() {
        spec["process"]["user"]["additionalGids"] = json!(user.groups);
    }
    if let Value::Array(mounts) = &mut spec["mounts"] {
        mounts.extend(volumes.mounts());
    }
    spec["annotations"] = annotations(config, &run);
    userns::enter(&mut spec, &options.on_disk, options.resolv_conf);

    let mut text =
        serde_json::to_vec_pretty(&spec).map_err(|error| Error::document(CONFIG, error.to_string()))?;
    text.push(b'\n');
    Ok(RuntimeConfig { text, user_known: user.known, unmounted: volumes.unfit() })
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.into() } else { format!("/{path}") }
}

/// Returns the defaults, replaced and extended by the image's; the user's `HOME` last, if it is known and not
/// set. A runtime sets an unknown one itself.
fn environment(run: &ContainerConfig, home: Option<&str>) -> Result<Vec<String>> {
    let mut variables: Vec<String> = defaults::ENVIRONMENT.map(str::to_owned).to_vec();
    for variable in run.env.iter().flatten() {
        let Some((name, _)) = variable.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::document("image config", format!("Env: {variable:?} is not NAME=value")));
        };
        match variables.iter_mut().find(|known| named(known, name)) {
            Some(known) => known.clone_from(variable),
            None => variables.push(variable.clone()),
        }
    }
    if let Some(home) = home
        && !variables.iter().any(|variable| named(variable, "HOME"))
    {
        variables.push(format!("HOME={home}"));
    }
    Ok(variables)
}

fn named(variable: &str, name: &str) -> bool {
    variable.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

/// Returns the image config's fields as annotations; labels of the same name take precedence.
fn annotations(config: &ImageConfig, run: &ContainerConfig) -> Value {
    let ports: Vec<&str> = run.exposed_ports.iter().flatten().map(|(port, _)| port.as_str()).collect();
    let features = config.os_features.as_deref().unwrap_or_default().join(",");
    let fields = [
        ("os", config.os.as_str()),
        ("os.version", config.os_version.as_deref().unwrap_or("")),
        ("os.features", &features),
        ("architecture", &config.architecture),
        ("variant", config.variant.as_deref().unwrap_or("")),
        ("author", config.author.as_deref().unwrap_or("")),
        ("created", config.created.as_deref().unwrap_or("")),
        ("stopSignal", run.stop_signal.as_deref().unwrap_or("")),
        ("exposedPorts", &ports.join(",")),
    ];
    let mut annotations = serde_json::Map::new();
    for (key, value) in fields {
        if !value.is_empty() {
            annotations.insert(format!("org.opencontainers.image.{key}"), value.into());
        }
    }
    for (key, value) in run.labels.iter().flatten() {
        annotations.insert(key.clone(), value.as_str().into());
    }
    annotations.into()
}

#[cfg(test)]
mod tests;
