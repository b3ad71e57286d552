//! `fuzz-seeds DIR`: writes the inputs that libFuzzer begins with, a directory for each target.

use std::{error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let to = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: fuzz-seeds DIR")?);
    for (number, (target, input)) in ocicle_fuzz::seeds().into_iter().enumerate() {
        let dir = to.join(target);
        fs::create_dir_all(&dir)?;
        fs::write(dir.join(format!("seed-{number}")), input)?;
    }
    Ok(())
}
