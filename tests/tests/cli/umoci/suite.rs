//! The expectations of umoci's own test suite.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use ocicle_tests::{
    ocicle::text,
    tools::{have, root, run},
};
use serde_json::{Value, json};

use super::{Front, config};

/// A directory with a layout `images`, and in it a blank image `latest`.
fn with_blank() -> Front {
    let front = Front::new();
    front.run(&["init", "--layout", "images"]);
    front.run(&["new", "--image", "images"]);
    front
}

fn stat(front: &Front, image: &str) -> Value {
    serde_json::from_str(&front.run(&["stat", "--json", "--image", image])).unwrap()
}

#[test]
fn history_entries_are_by_the_author_of_the_image() {
    let front = with_blank();
    let author = "An Author <a@b.c>";
    front.run(&["config", "--image", "images", "--author", author]);
    front.run(&["config", "--image", "images", "--config.user", "1"]);
    front.run(&["config", "--image", "images", "--history.author", "Another"]);
    front.run(&["unpack", "--rootless", "--image", "images", "bundle"]);
    fs::write(front.path("bundle/rootfs/file"), "1").unwrap();
    front.run(&["repack", "--image", "images", "bundle"]);
    run("tar", ["-C", text(&front.path("bundle/rootfs")), "-cf", text(&front.path("layer.tar")), "file"]);
    front.run(&["raw", "add-layer", "--image", "images", "layer.tar"]);
    // umoci leaves it out here.
    front.run(&["insert", "--image", "images", "layer.tar", "/layer.tar"]);
    front.run(&["config", "--image", "images", "--author", ""]);
    let history = stat(&front, "images")["history"].take();
    let authors: Vec<&Value> =
        history.as_array().unwrap().iter().map(|entry| entry.get("author").unwrap_or(&Value::Null)).collect();
    let (author, other, none) = (json!(author), json!("Another"), Value::Null);
    assert_eq!(authors, [&author, &author, &other, &author, &author, &none, &none]);
}

#[test]
fn a_blob_of_another_digest_and_size_is_a_digest_mismatch() {
    let front = Front::new();
    let Some(layout) = front.layout() else { return };
    let image = format!("{}:odd", text(&layout));
    let found = stat(&front, &image);
    let digests = [
        &found["manifest"]["descriptor"]["digest"],
        &found["config"]["descriptor"]["digest"],
        &found["manifest"]["blob"]["layers"][0]["digest"],
    ];
    for digest in digests {
        let blob = layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
        let content = fs::read(&blob).unwrap();
        let damage = |content: &[u8]| {
            fs::remove_file(&blob).unwrap(); // it may be shared with the fixture
            fs::write(&blob, content).unwrap();
            front.fails(&["raw", "unpack", "--rootless", "--image", &image, "rootfs"])
        };
        let before = [b" ", &content[..]].concat();
        let after = [&content[..], b"\0"].concat();
        for (content, size) in [(&before, true), (&after, true), (&content[..9].to_vec(), true)] {
            let error = damage(content);
            assert!(error.contains("verified reader digest mismatch"), "{error}");
            assert_eq!(error.contains("verified reader size mismatch"), size, "{error}");
        }
        fs::write(&blob, content).unwrap();
    }
}

#[test]
fn the_version_is_that_of_umoci() {
    let front = Front::new();
    for option in ["--version", "-v"] {
        let version = front.run(&[option]);
        for released in ["0.6.0", "0.6.0+dev"] {
            assert!(version.starts_with(&format!("umoci version {released}")), "{version}");
        }
        for line in ["\nimage spec: 1.", "\nruntime spec: 1.", "\ngo: go1."] {
            assert!(version.contains(line), "{version}");
        }
    }
}

/// Returns the lines of a help text that are not empty.
fn help(front: &Front, words: &[&str]) -> Vec<String> {
    front.run(words).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_help_has_umocis_sections() {
    let front = Front::new();
    for words in [&["help"][..], &["h"], &["--help"], &["-h"], &[]] {
        let lines = help(&front, words);
        assert_eq!(lines[..2], ["NAME:", "   umoci - umoci modifies Open Container images"], "{words:?}");
        for section in ["USAGE:", "VERSION:", "COMMANDS:", "   image:", "   layout:", "GLOBAL OPTIONS:"] {
            assert!(lines.iter().any(|line| line == section), "{words:?}: {section}");
        }
    }
    let commands = [
        "config",
        "unpack",
        "repack",
        "new",
        "tag",
        "remove",
        "rm",
        "stat",
        "insert",
        "gc",
        "init",
        "list",
        "ls",
        "raw add-layer",
        "raw runtime-config",
        "raw config",
        "raw unpack",
        "raw mtree-validate",
    ];
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let own = help(&front, &[&words[..], &["--help"]].concat());
        let name = match command {
            "rm" => "remove",
            "ls" => "list",
            "raw config" => "raw runtime-config",
            name => name,
        };
        assert!(own[0] == "NAME:" && own[1].starts_with(&format!("   umoci {name} - ")), "{own:?}");
        assert!(own[3].starts_with(&format!("   umoci {name} [command options] --")), "{own:?}");
        assert!(own.contains(&"CATEGORY:".into()) && own.contains(&"OPTIONS:".into()), "{own:?}");
        assert_eq!(help(&front, &[&words[..], &["-h"]].concat()), own);
        assert_eq!(help(&front, &[&["help"], &words[..]].concat()), own);
    }
    let raw = help(&front, &["raw"]);
    assert!(raw[0] == "NAME:" && raw[1].starts_with("   umoci raw - "), "{raw:?}");
    for words in [["raw", "--help"], ["raw", "-h"], ["raw", "help"], ["help", "raw"]] {
        assert_eq!(help(&front, &words), raw);
    }
    let unknown = front.try_run(&["help", "nothing"]);
    assert_eq!(
        (unknown.status.code(), &unknown.stderr[..]),
        (Some(3), &b"No help topic for 'nothing'\n"[..])
    );
}

/// umoci's help has the same first lines, and the same options.
#[test]
fn the_help_names_umocis_options() {
    let front = Front::new();
    if !have(&["umoci"]) {
        return;
    }
    let options = |lines: &str| {
        let names = lines.split_whitespace().filter(|word| word.starts_with("--"));
        names.map(|name| name.trim_end_matches([',', ']']).to_owned()).collect::<Vec<_>>()
    };
    for command in
        ["config", "unpack", "repack", "new", "tag", "remove", "stat", "insert", "gc", "init", "list"]
    {
        let theirs = String::from_utf8(run("umoci", [command, "--help"])).unwrap();
        let ours = options(&front.run(&[command, "--help"]));
        let (_, theirs) = theirs.rsplit_once("OPTIONS:").unwrap();
        for option in options(theirs) {
            assert!(ours.contains(&option), "{command} {option}: {ours:?}");
        }
    }
}

#[test]
fn a_file_can_be_inserted_opaque() {
    let front = with_blank();
    fs::create_dir(front.path("etc")).unwrap();
    fs::write(front.path("etc/old"), "").unwrap();
    fs::write(front.path("file"), "").unwrap();
    front.run(&["insert", "--image", "images", "etc", "/etc"]);
    front.run(&["insert", "--image", "images", "--opaque", "file", "/etc/file"]);
    front.run(&["raw", "unpack", "--rootless", "--image", "images", "rootfs"]);
    assert!(front.path("rootfs/etc/file").exists() && front.path("rootfs/etc/old").exists());
    // A link to a directory is inserted as a link.
    std::os::unix::fs::symlink("etc", front.path("link")).unwrap();
    front.run(&["insert", "--image", "images", "--opaque", "link", "/link"]);
}

#[test]
fn without_a_root_file_system_the_environment_is_path_and_term() {
    let front = with_blank();
    let environment = |words: &[&str]| {
        front.run(&[&["raw", "runtime-config", "--image", "images"][..], words, &["config.json"]].concat());
        let spec: Value = serde_json::from_slice(&fs::read(front.path("config.json")).unwrap()).unwrap();
        let names = spec["process"]["env"].as_array().unwrap().iter();
        names
            .map(|variable| variable.as_str().unwrap().split('=').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(environment(&[]), ["PATH", "TERM"]);
    front.run(&["config", "--image", "images", "--config.user", "1:2", "--config.env", "A=1"]);
    assert_eq!(environment(&[]), ["PATH", "TERM", "A"]);
    fs::create_dir(front.path("rootfs")).unwrap();
    assert_eq!(environment(&["--rootfs", "rootfs"]), ["PATH", "TERM", "A", "HOME"]);
}

#[test]
fn times_are_compared_with_and_without_fractions() {
    let front = Front::new();
    let touch = |name: &str, date: &str| {
        run("touch", ["-d", date, text(&front.path("rootfs").join(name))]);
    };
    fs::create_dir(front.path("rootfs")).unwrap();
    let files = [("lower", "100000000"), ("upper", "800000000"), ("whole", "0")];
    let [mut time, mut tar_time] = ["#mtree\n. type=dir\n".to_owned(), "#mtree\n. type=dir\n".to_owned()];
    for (name, fraction) in files {
        fs::write(front.path("rootfs").join(name), "").unwrap();
        touch(name, &format!("@1757077510.{fraction}"));
        time.push_str(&format!("    {name} type=file size=0 time=1757077510.{fraction:0>9}\n"));
        tar_time.push_str(&format!("    {name} type=file size=0 tar_time=1757077510.000000000\n"));
    }
    fs::write(front.path("time"), time).unwrap();
    fs::write(front.path("tar_time"), tar_time).unwrap();
    let keywords = "type,uid,gid,nlink,link,mode,flags,xattr,size,sha256digest";
    // Returns the names that differ, with the keywords of the manifest and with those of the other one.
    let differ = |manifest: &str, other: &str| {
        let validate = ["raw", "mtree-validate", "-p", "rootfs", "-f", manifest];
        let keywords = format!("{keywords},{other}");
        [&[][..], &["-k", &keywords]].map(|words| {
            let output = front.try_run(&[&validate[..], words].concat());
            let lines = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.success(), lines.is_empty(), "{lines}");
            files.map(|(name, _)| name).into_iter().filter(|name| lines.contains(name)).collect::<Vec<_>>()
        })
    };
    let none: [Vec<&str>; 2] = [vec![], vec![]];
    assert_eq!((differ("time", "tar_time"), differ("tar_time", "time")), (none.clone(), none.clone()));
    for (name, _) in files {
        touch(name, "@1757077510");
    }
    assert_eq!(differ("time", "tar_time"), [vec!["lower", "upper"], vec![]]);
    assert_eq!(differ("tar_time", "time"), none);
    for (name, _) in files {
        touch(name, "@859293600");
    }
    let all = vec!["lower", "upper", "whole"];
    assert_eq!(differ("time", "tar_time"), [all.clone(), all.clone()]);
    assert_eq!(differ("tar_time", "time"), [all.clone(), all]);
    let unknown = ["raw", "mtree-validate", "-p", "rootfs", "-f", "time", "-K", "sha1digest"];
    assert!(front.fails(&unknown).contains("keyword \"sha1digest\""));
}

#[test]
fn what_root_adds_belongs_to_the_owner_of_the_layout() {
    let front = with_blank();
    if !root() {
        return;
    }
    front.run(&["rm", "--image", "images"]);
    fs::remove_dir_all(front.path("images/blobs")).unwrap(); // directories are made again
    run("chown", ["-R", "1234:2345", text(&front.path("images"))]);
    front.run(&["new", "--image", "images"]);
    front.run(&["insert", "--image", "images", "umoci", "/bin/umoci"]);
    let mut left = vec![front.path("images")];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 2345), "{}", path.display());
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn a_blank_image_is_described_as_by_umoci() {
    let front = with_blank();
    let created = "2025-09-05T13:05:10.12345+10:00";
    front.run(&["config", "--no-history", "--created", created, "--image", "images"]);
    let arch = config(&front.path("images"), "latest")["architecture"].as_str().unwrap().to_owned();
    let found = stat(&front, "images");
    let [config, manifest] =
        ["config", "manifest"].map(|name| found[name]["descriptor"]["digest"].as_str().unwrap().to_owned());
    if arch == "amd64" {
        assert_eq!(config, "sha256:e5101a46118c740a7709af8eaeec19cbc50a567f4fe7741f8420af39a3779a77");
        assert_eq!(manifest, "sha256:98a4b5d5fe4ea076a0a9059075dad54741e055fd0fa016903a8e2b858dcbad80");
    }
    let expected = format!(
        "== MANIFEST ==\nSchema Version: 2\nMedia Type: application/vnd.oci.image.manifest.v1+json\n\
        Config:\n\tDescriptor:\n\t\tMedia Type: application/vnd.oci.image.config.v1+json\n\
        \t\tDigest: {config}\n\t\tSize: 135B\n\
        Descriptor:\n\tMedia Type: application/vnd.oci.image.manifest.v1+json\n\
        \tDigest: {manifest}\n\tSize: 249B\n\
        \tAnnotations:\n\t\torg.opencontainers.image.ref.name: latest\n\n\
        == CONFIG ==\nCreated: {created}\nAuthor: \"\"\nPlatform:\n\tOS: linux\n\tArchitecture: {arch}\n\
        Image Config:\n\tUser: \"\"\n\tCommand: (empty)\n\
        Descriptor:\n\tMedia Type: application/vnd.oci.image.config.v1+json\n\
        \tDigest: {config}\n\tSize: 135B\n\n\
        == HISTORY ==\nLAYER CREATED CREATED BY SIZE COMMENT\n"
    );
    if arch == "amd64" {
        assert_eq!(front.run(&["stat", "--image", "images"]), expected);
    }
}

#[test]
fn lists_of_the_config_have_a_line_for_each_value() {
    let front = with_blank();
    front.run(&[
        "config",
        "--image=images",
        "--author=An Author",
        "--config.user=foo:bar",
        "--config.exposedports=80/tcp",
        "--config.exposedports=8080/udp",
        "--config.env=A=1",
        "--config.env=ESCAPED=a\tb\nc\u{b}d\re",
        "--config.entrypoint=/bin/sh",
        "--config.entrypoint=-c",
        "--config.cmd=true, it is",
        "--config.volume=/tmp",
        "--config.volume=/with, comma",
        "--config.workingdir=/tmp",
        "--config.stopsignal=SIGKILL",
        "--config.label=l=hello world",
        "--manifest.annotation=ci.abc=foobar\tbaz",
        "--manifest.annotation=ci.xyz=1",
        "--created=2025-09-05T13:05:10.500+00:00",
        "--platform.variant=",
    ]);
    let text = front.run(&["stat", "--image", "images"]);
    let expected = concat!(
        "\tUser: foo:bar\n\tEntrypoint:\n\t\t/bin/sh\n\t\t-c\n\tCommand:\n\t\t\"true, it is\"\n",
        "\tWorking Directory: /tmp\n\tEnvironment:\n\t\tA=1\n\t\t\"ESCAPED=a\\tb\\nc\\vd\\re\"\n",
        "\tStop Signal: SIGKILL\n\tExposed Ports: 80/tcp, 8080/udp\n\tVolumes: /tmp, \"/with, comma\"\n",
        "\tLabels:\n\t\tl: \"hello world\"\n",
    );
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("Annotations:\n\tci.abc: \"foobar\\tbaz\"\n\tci.xyz: 1\n"), "{text}");
    assert!(text.contains("Created: 2025-09-05T13:05:10.5Z\nAuthor: \"An Author\"\n"), "{text}");
}

#[test]
fn a_hint_is_a_line_of_its_own_before_the_error() {
    let front = Front::new();
    let output = front.try_run(&["new", "--image", "images"]);
    let error = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("   • hint: "), "{error}");
    assert!(lines[1].starts_with("   ⨯ ") && !Path::new("images").exists(), "{error}");
}
