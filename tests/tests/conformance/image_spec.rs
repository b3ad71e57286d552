//! The cases of the image-spec's schema tests, as data: each document must pass or fail as they say.
//!
//! The files are `image-spec-*.json`, in the directory that `OCICLE_VECTORS` names, or in `shared/vectors`
//! beside the workspace. They are lists of `{mediaType, json, fail, comment | title, source, digest?,
//! convertDockerToOCIFirst?}`.

use std::{fs, path::PathBuf};

use ocicle::{
    digest::Algorithm,
    hash::digest_of,
    spec::{MediaType, validate},
};
use ocicle_tests::tools;
use serde_json::Value;

#[test]
fn every_vector_of_the_image_spec_holds() {
    let named = std::env::var_os("OCICLE_VECTORS").map(PathBuf::from);
    let directory = named.clone().unwrap_or_else(beside_the_workspace);
    if named.is_none() && !directory.is_dir() {
        let directory = directory.display();
        tools::not_run(&format!("the image-spec's cases are not in {directory}: set OCICLE_VECTORS"));
        return;
    }
    let entries = fs::read_dir(&directory).expect("the directory of the vectors");
    let mut wrong = Vec::new();
    let mut files: Vec<_> = entries.map(|entry| entry.expect("directory entry").path()).collect();
    let name_of = |file: &PathBuf| file.file_name().expect("a name").to_string_lossy().into_owned();
    files.retain(|file| name_of(file).starts_with("image-spec-"));
    files.sort();
    assert!(!files.is_empty(), "no image-spec-*.json in {}", directory.display());
    for file in &files {
        let name = name_of(file);
        let cases: Vec<Value> =
            serde_json::from_slice(&fs::read(file).expect("read")).expect("a list of cases");
        assert!(!cases.is_empty(), "{name} is empty");
        wrong.extend(
            cases.iter().filter_map(|case| check(case).err()).map(|reason| format!("{name}: {reason}")),
        );
        println!("{name}: {} cases", cases.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn beside_the_workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors")
}

fn check(case: &Value) -> Result<(), String> {
    let text = |key: &str| case[key].as_str();
    let json = text("json").expect("json");
    let media_type = text("mediaType").expect("mediaType");
    let label = text("comment").or(text("title")).or(text("source")).unwrap_or(media_type);
    let fail = case["fail"].as_bool().expect("fail");
    if let Some(digest) = text("digest") {
        assert_eq!(digest_of(Algorithm::Sha256, json.as_bytes()).as_str(), digest, "{label}");
    }
    let mut spellings = vec![(media_type.to_owned(), json.to_owned())];
    if case["convertDockerToOCIFirst"] == true {
        // Docker's types pass as they are, and as what they are in OCI's names.
        let docker = DOCKER.iter().find(|(_, oci)| *oci == media_type).expect("a Docker type").0;
        let converted = DOCKER.iter().fold(json.to_owned(), |json, (docker, oci)| json.replace(docker, oci));
        spellings = vec![(docker.to_owned(), json.to_owned()), (media_type.to_owned(), converted)];
    }
    for (media_type, json) in spellings {
        let media_type: MediaType = media_type.parse().expect("a media type");
        match (validate(&media_type, json.as_bytes()), fail) {
            (Ok(()), true) => return Err(format!("{label}: passes, must fail: {json}")),
            (Err(error), false) => return Err(format!("{label}: must pass, fails: {error}")),
            _ => {}
        }
    }
    Ok(())
}

const DOCKER: [(&str, &str); 4] = [
    ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"),
    ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"),
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
    ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"),
];
