//! The application in the browser.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    npm, paths,
    run::{Result, run},
};

/// Builds `web-demo/dist` with the package as it is built; `ocicle` makes the sample image.
pub(crate) fn build(ocicle: &Path) -> Result<PathBuf> {
    let directory = paths::checkout().join("web-demo");
    run(Command::new("sh")
        .args(["sample.sh", "src/sample.tar"])
        .current_dir(&directory)
        .env("OCICLE_BIN", ocicle))?;
    run(npm::npm()?.args(["run", "--silent", "build", "--workspace", "ocicle-web-demo"]))?;
    Ok(directory.join("dist"))
}

/// Serves what was built, to this machine alone, until it is stopped.
pub(crate) fn serve() -> Result<()> {
    run(npm::npm()?.args(["run", "--silent", "preview", "--workspace", "ocicle-web-demo"]))
}
