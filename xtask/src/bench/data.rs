//! The images to measure on, made once and kept in the cache.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    paths,
    run::{Result, at, output, search_path},
};

/// An image, tagged `t` in its own layout.
pub(crate) struct Image {
    pub(crate) name: &'static str,
    make: fn(&Path) -> Result<()>,
}

const IMAGES: [Image; 3] = [
    Image { name: "debian", make: debian },
    Image { name: "many", make: many },
    Image { name: "big", make: big },
];

impl Image {
    /// Returns the data sets with these names; all if none is named.
    pub(crate) fn all(names: &[&str]) -> Result<Vec<&'static Self>> {
        if let Some(unknown) = names.iter().find(|name| IMAGES.iter().all(|image| image.name != **name)) {
            return Err(format!("no image {unknown:?}: there are debian, many and big"));
        }
        Ok(IMAGES.iter().filter(|image| names.is_empty() || names.contains(&image.name)).collect())
    }

    /// Returns its layout, which is built unless it exists.
    pub(crate) fn layout(&self) -> Result<PathBuf> {
        // The number changes with the recipe.
        let dir = paths::cache()?.join(format!("bench-1/{}", self.name));
        let layout = dir.join("layout");
        if layout.is_dir() {
            return Ok(layout);
        }
        println!("making the image {}: once", self.name);
        let staging = dir.with_extension("making");
        let _ = fs::remove_dir_all(&staging); // what a run that was cut short left
        at(&staging, fs::create_dir_all(&staging))?;
        (self.make)(&staging)?;
        at(&dir, fs::rename(&staging, &dir))?;
        Ok(layout)
    }
}

/// Builds a minbase Debian: the fixture of the tests.
fn debian(dir: &Path) -> Result<()> {
    let script = paths::checkout().join("tests/fixtures/debian.sh");
    output(Command::new("sh").arg(script).arg(dir))?;
    shell(dir, "umoci tag --image layout:debian t")
}

/// 100,000 files of 0 to 8 KiB in 1,000 directories, in four layers.
fn many(dir: &Path) -> Result<()> {
    let mut words = Words(1);
    for layer in 0..4 {
        for directory in 0..250 {
            let place = dir.join(format!("layer{layer}/{layer}/{directory}"));
            at(&place, fs::create_dir_all(&place))?;
            for file in 0..100 {
                let size = usize::try_from(words.next() % 8192).unwrap_or(0);
                let path = place.join(format!("file-{file}.txt"));
                at(&path, fs::write(&path, words.text(size)))?;
            }
        }
    }
    image(dir, 4)
}

/// About 1 GB in five layers of files of 1 to 30 MB: text, and every third incompressible.
fn big(dir: &Path) -> Result<()> {
    let mut words = Words(2);
    for layer in 0..5 {
        let place = dir.join(format!("layer{layer}"));
        at(&place, fs::create_dir_all(&place))?;
        let mut left = 200_usize << 20;
        let mut file = 0;
        while left > 0 {
            let size = (usize::try_from(words.next() % (29 << 20)).unwrap_or(0) + (1 << 20)).min(left);
            let content = if file % 3 == 2 { words.noise(size) } else { words.text(size) };
            let path = place.join(format!("{layer}-{file}.bin"));
            at(&path, fs::write(&path, content))?;
            left -= size;
            file += 1;
        }
    }
    image(dir, 5)
}

/// Writes a new file: half of it text, half incompressible.
pub(crate) fn new_file(path: &Path, size: usize) -> Result<()> {
    let mut words = Words(3);
    let mut file = BufWriter::new(at(path, File::create(path))?);
    for _ in 0..size / (2 << 20) {
        at(path, file.write_all(&words.text(1 << 20)))?;
        at(path, file.write_all(&words.noise(1 << 20)))?;
    }
    at(path, file.flush())
}

fn image(dir: &Path, layers: usize) -> Result<()> {
    shell(dir, "umoci init --layout layout && umoci new --image layout:t")?;
    for layer in 0..layers {
        shell(
            dir,
            &format!(
                "tar --sort=name --mtime=@1600000000 --owner=0 --group=0 -C layer{layer} -cf layer.tar . && \
                 umoci raw add-layer --image layout:t layer.tar && rm -rf layer.tar layer{layer}"
            ),
        )?;
    }
    shell(dir, "umoci gc --layout layout")
}

fn shell(dir: &Path, line: &str) -> Result<()> {
    output(Command::new("sh").args(["-ec", line]).current_dir(dir).env("PATH", search_path())).map(drop)
}

/// The same numbers on every machine (xorshift64*, Vigna 2016).
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Words of a small language: compresses about as well as source code.
    fn text(&mut self, size: usize) -> Vec<u8> {
        const SYLLABLES: [&str; 16] = [
            "la", "yer", "di", "gest", "ma", "ni", "fest", "in", "dex", "ro", "ot", "blob", "tar", "ref",
            "sub", "ject",
        ];
        let mut text = Vec::with_capacity(size + 16);
        while text.len() < size {
            let mut bits = self.next() >> 8;
            for _ in 0..1 + bits % 4 {
                bits /= 4;
                text.extend_from_slice(SYLLABLES[usize::try_from(bits % 16).unwrap_or(0)].as_bytes());
                bits /= 16;
            }
            text.push(if bits.is_multiple_of(11) { b'\n' } else { b' ' });
        }
        text.truncate(size);
        text
    }

    fn noise(&mut self, size: usize) -> Vec<u8> {
        let mut noise = Vec::with_capacity(size + 8);
        while noise.len() < size {
            noise.extend_from_slice(&self.next().to_le_bytes());
        }
        noise.truncate(size);
        noise
    }
}
