#![allow(clippy::unwrap_used, reason = "tests may")]

mod volumes;

use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::{
    error::ErrorKind,
    fs::{Dir as _, DirPosix as _, DirWrite as _, mem::MemDir},
    layer::on_disk::OnDisk,
    limits::Limits,
    name::{EntryPath, Name},
};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    # a line that is no entry\n\
    web:x:33:34:web:/var/www:/bin/sh\n\
    homeless:x:50:50:::\n\
    1000:x:77:78:a number:/number:\n";

const GROUP: &str = "root:x:0:\n\
    web:x:34:\n\
    wheel:x:10:root,web\n\
    staff:x:20:web\n\
    again:x:20:web\n\
    own:x:34:web\n\
    broken:x:none:web\n\
    webmail:x:60:webmaster\n";

fn root_with(files: &[(&str, &str)]) -> MemDir {
    let files = files.iter().map(|(path, text)| (clean(path), text.as_bytes().to_vec()));
    MemDir::from_files(files).unwrap()
}

fn clean(path: &str) -> EntryPath {
    EntryPath::clean(path.as_bytes(), &Limits::default()).unwrap()
}

fn users(root: &MemDir) -> Result<Users> {
    Users::read(root, &Limits::default())
}

fn root() -> MemDir {
    root_with(&[("etc/passwd", PASSWD), ("etc/group", GROUP)])
}

/// Returns an image config with these fields in its `config`.
fn image(fields: &str) -> ImageConfig {
    image_with(fields, "")
}

fn image_with(fields: &str, more: &str) -> ImageConfig {
    let rootfs = r#""rootfs":{"type":"layers","diff_ids":[]}"#;
    let text = format!(r#"{{"architecture":"amd64","os":"linux",{more}{rootfs},"config":{{{fields}}}}}"#);
    serde_json::from_str(&text).unwrap()
}

fn made(config: &ImageConfig, root: &MemDir) -> Result<Value> {
    let options = RuntimeOptions::default().resolv_conf(true);
    let text = runtime_config(config, &users(root)?, &volumes(config, root)?, &options)?.text;
    Ok(serde_json::from_slice(&text).unwrap())
}

fn volumes(config: &ImageConfig, root: &MemDir) -> Result<Volumes> {
    Volumes::read(config, root, &OnDisk::default(), &Limits::default())
}

/// Returns the user, as text, and HOME.
fn user(spec: &str, root: &MemDir) -> Result<(String, String)> {
    let made = made(&image(&format!(r#""User":"{spec}""#)), root)?;
    let env = made["process"]["env"].as_array().unwrap();
    Ok((made["process"]["user"].to_string(), env.last().unwrap().as_str().unwrap().to_owned()))
}

#[test]
fn users_are_looked_up_in_the_image() {
    let cases = [
        ("", r#"{"additionalGids":[10],"gid":0,"uid":0}"#, "HOME=/root"),
        ("root", r#"{"additionalGids":[10],"gid":0,"uid":0}"#, "HOME=/root"),
        ("web", r#"{"additionalGids":[10,20],"gid":34,"uid":33}"#, "HOME=/var/www"),
        ("33", r#"{"additionalGids":[10,20],"gid":34,"uid":33}"#, "HOME=/var/www"),
        ("web:", r#"{"additionalGids":[10,20],"gid":34,"uid":33}"#, "HOME=/var/www"),
        ("web:staff", r#"{"gid":20,"uid":33}"#, "HOME=/var/www"),
        ("33:10", r#"{"gid":10,"uid":33}"#, "HOME=/var/www"),
        (":staff", r#"{"gid":20,"uid":0}"#, "HOME=/root"),
        ("web:4000", r#"{"gid":4000,"uid":33}"#, "HOME=/var/www"),
        ("4000:staff", r#"{"gid":20,"uid":4000}"#, "HOME=/"),
        ("4000", r#"{"gid":0,"uid":4000}"#, "HOME=/"),
        ("homeless", r#"{"gid":50,"uid":50}"#, "HOME=/"),
        // There is a user of that name, but a number is never a name.
        ("1000", r#"{"gid":0,"uid":1000}"#, "HOME=/"),
        ("4294967294:4294967294", r#"{"gid":4294967294,"uid":4294967294}"#, "HOME=/"),
    ];
    for (spec, user_json, home) in cases {
        assert_eq!(user(spec, &root()).unwrap(), (user_json.into(), home.into()), "{spec:?}");
    }
}

#[test]
fn users_the_image_does_not_know_are_errors() {
    let unknown = |name: &str, file: &str| {
        format!("image config: User: {name:?} is neither a number nor in the image's /{file}")
    };
    let range = |what: &str| format!("image config: User: {what} is not between 0 and 4294967294");
    let cases = [
        ("nobody", unknown("nobody", "etc/passwd")),
        ("nobody:staff", unknown("nobody", "etc/passwd")),
        ("web:nobody", unknown("nobody", "etc/group")),
        ("web:broken", unknown("broken", "etc/group")),
        ("web:a:b", unknown("a:b", "etc/group")),
        ("-1", unknown("-1", "etc/passwd")),
        ("4294967295", range("user 4294967295")),
        ("0:4294967296", range("group 4294967296")),
    ];
    for (spec, message) in cases {
        assert_eq!(user(spec, &root()).unwrap_err().to_string(), message, "{spec:?}");
    }
}

#[test]
fn an_image_without_the_files_has_numbers_only() {
    let bare = MemDir::new();
    assert_eq!(user("", &bare).unwrap(), (r#"{"gid":0,"uid":0}"#.into(), "HOME=/".into()));
    assert_eq!(user("5:6", &bare).unwrap(), (r#"{"gid":6,"uid":5}"#.into(), "HOME=/".into()));
    assert!(user("root", &bare).is_err());
}

#[test]
fn home_is_left_to_the_runtime_where_the_users_are_unknown() {
    let environment = |fields: &str| {
        let options = RuntimeOptions::default().resolv_conf(true);
        let text =
            runtime_config(&image(fields), &Users::default(), &Volumes::default(), &options).unwrap().text;
        serde_json::from_slice::<Value>(&text).unwrap()["process"]["env"].take()
    };
    for fields in ["", r#""User":"0""#, r#""User":"5:6""#, r#""User":"web""#] {
        assert_eq!(environment(fields), json!(defaults::ENVIRONMENT), "{fields}");
    }
    assert_eq!(environment(r#""Env":["HOME=/h"]"#)[2], "HOME=/h");
}

#[test]
fn links_are_followed_inside_the_root_only() {
    // Files beside the root are out of reach.
    let host = root_with(&[
        ("outside/passwd", "evil:x:666:666::/evil:\n"),
        ("root/usr/passwd", "web:x:33:34::/var/www:\n"),
        ("root/etc/none", ""),
    ]);
    let inside = |target: &[u8]| {
        let root = host.open_dir(Name::literal("root")).unwrap();
        let etc = root.open_dir(Name::literal("etc")).unwrap();
        let _ = etc.remove_file(Name::literal("passwd"));
        etc.symlink(Name::literal("passwd"), target).unwrap();
        root
    };
    for target in [&b"/usr/passwd"[..], b"../usr/passwd", b"../../../../usr/passwd"] {
        assert_eq!(user("web", &inside(target)).unwrap().1, "HOME=/var/www");
    }
    for target in [&b"../../outside/passwd"[..], b"/outside/passwd"] {
        let error = user("evil", &inside(target)).unwrap_err().to_string();
        assert!(error.contains("\"evil\" is neither a number nor in"), "{error}");
    }
    // Inside the root this is the link itself.
    let error = user("web", &inside(b"/etc/passwd")).unwrap_err();
    assert!(matches!(error, Error::Limit { name: "links", .. }), "{error}");
}

#[test]
fn a_user_file_over_the_limit_is_refused() {
    let limits = Limits { document: PASSWD.len() as u64 - 1, ..Limits::default() };
    let error = Users::read(&root(), &limits).unwrap_err();
    assert!(matches!(error, Error::Limit { what, name: "document", .. } if what == "rootfs/etc/passwd"));
}

#[test]
fn a_user_file_need_not_be_text() {
    let root = MemDir::new();
    root.create_dir(Name::literal("etc")).unwrap();
    let etc = root.open_dir(Name::literal("etc")).unwrap();
    let mut passwd = etc.create_file(Name::literal("passwd")).unwrap();
    passwd.write_all(b"\xff:x:1:1:\xfe:/:\nweb:x:33:34::/var/www:").unwrap();
    assert_eq!(user("web", &root).unwrap().1, "HOME=/var/www");
}

fn environment_of(env: &str) -> Result<Value> {
    Ok(made(&image(&format!(r#""Env":{env}"#)), &root())?["process"]["env"].take())
}

#[test]
fn the_environment_is_merged_in_order() {
    let path = defaults::ENVIRONMENT[0];
    let cases = [
        ("null", json!([path, "TERM=xterm", "HOME=/root"])),
        (r#"["A=1","B=x=y","A=2"]"#, json!([path, "TERM=xterm", "A=2", "B=x=y", "HOME=/root"])),
        (r#"["PATH=/bin","PATHS=1"]"#, json!(["PATH=/bin", "TERM=xterm", "PATHS=1", "HOME=/root"])),
        (r#"["HOME=/else","A="]"#, json!([path, "TERM=xterm", "HOME=/else", "A="])),
    ];
    for (env, expected) in cases {
        assert_eq!(environment_of(env).unwrap(), expected, "{env}");
    }
    for bad in ["A", "", "=1"] {
        let error = environment_of(&format!("[{bad:?}]")).unwrap_err();
        assert_eq!(error.to_string(), format!("image config: Env: {bad:?} is not NAME=value"));
    }
}

#[test]
fn labels_win_over_the_annotations_of_fields() {
    let more = r#""author":"A","created":"2020-01-01T00:00:00Z","variant":"v2","os.version":"1",
        "os.features":["a","b"],"#;
    let fields = r#""StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{},"53/udp":{}},
        "Labels":{"x":"y","org.opencontainers.image.author":"B","org.opencontainers.image.os":""}"#;
    assert_eq!(
        made(&image_with(fields, more), &root()).unwrap()["annotations"],
        json!({
            "org.opencontainers.image.os": "",
            "org.opencontainers.image.os.version": "1",
            "org.opencontainers.image.os.features": "a,b",
            "org.opencontainers.image.architecture": "amd64",
            "org.opencontainers.image.variant": "v2",
            "org.opencontainers.image.author": "B",
            "org.opencontainers.image.created": "2020-01-01T00:00:00Z",
            "org.opencontainers.image.stopSignal": "SIGINT",
            "org.opencontainers.image.exposedPorts": "53/udp,80/tcp",
            "x": "y",
        })
    );
}

#[test]
fn arguments_and_directory() {
    let cases = [
        ("", json!(["sh"]), "/"),
        (r#""Entrypoint":["a"],"Cmd":["b","c"],"WorkingDir":"/w""#, json!(["a", "b", "c"]), "/w"),
        (r#""Cmd":["b"],"WorkingDir":"w/x""#, json!(["b"]), "/w/x"),
        (r#""Entrypoint":["a"],"Cmd":[]"#, json!(["a"]), "/"),
        (r#""Entrypoint":[],"Cmd":null"#, json!(["sh"]), "/"),
    ];
    for (fields, args, cwd) in cases {
        let made = made(&image(fields), &root()).unwrap();
        assert_eq!((&made["process"]["args"], &made["process"]["cwd"]), (&args, &json!(cwd)), "{fields}");
    }
}

#[test]
fn only_linux_images_are_supported() {
    let mut config = image("");
    check_supported(&config).unwrap();
    for os in ["windows", "Linux", ""] {
        config.os = os.into();
        let error = check_supported(&config).unwrap_err();
        let expected = format!("unsupported platform: the image is for {os:?}, and a bundle needs \"linux\"");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Unsupported, expected));
    }
}

#[test]
fn a_small_image_results_in_exactly_this() {
    let config = image(r#""User":"web","Cmd":["httpd"],"Volumes":{"/data":{}}"#);
    let options = RuntimeOptions::default().resolv_conf(true);
    let text =
        runtime_config(&config, &users(&root()).unwrap(), &volumes(&config, &root()).unwrap(), &options)
            .unwrap()
            .text;
    assert_eq!(String::from_utf8(text).unwrap(), include_str!("tests/small.json"));
}

#[test]
fn mapped_ids_make_a_user_namespace() {
    let map = || crate::layer::on_disk::IdMap(vec!["0:100000:65536".parse().unwrap()]);
    let how = OnDisk { uids: map(), gids: map(), ..OnDisk::default() };
    let options = RuntimeOptions::default().on_disk(how).resolv_conf(true);
    let config = image(r#""User":"web""#);
    let text = runtime_config(&config, &users(&root()).unwrap(), &Volumes::default(), &options).unwrap().text;
    let spec: Value = serde_json::from_slice(&text).unwrap();
    let kinds: Vec<_> =
        spec["linux"]["namespaces"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["pid", "network", "ipc", "uts", "mount", "cgroup", "user"]);
    let range = json!([{"containerID": 0, "hostID": 100_000, "size": 65_536}]);
    assert_eq!((&spec["linux"]["uidMappings"], &spec["linux"]["gidMappings"]), (&range, &range));
    // The process has ids of the container; the group of terminals is mapped.
    assert_eq!(spec["process"]["user"]["uid"], 33);
    assert!(text.windows(7).any(|part| part == b"\"gid=5\""));
}

#[test]
fn an_ordinary_user_gets_what_is_possible() {
    let how = OnDisk::rootless(1000, 100);
    let made = |resolv_conf| -> Value {
        let image = image(r#""User":"web""#);
        let options = RuntimeOptions::default().on_disk(how.clone()).resolv_conf(resolv_conf);
        let text =
            runtime_config(&image, &users(&root()).unwrap(), &Volumes::default(), &options).unwrap().text;
        serde_json::from_slice(&text).unwrap()
    };
    let spec = made(true);
    let kinds: Vec<_> =
        spec["linux"]["namespaces"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["pid", "ipc", "uts", "mount", "cgroup", "user"]);
    assert_eq!(
        (&spec["linux"]["resources"], &spec["process"]["user"]["additionalGids"]),
        (&Value::Null, &Value::Null)
    );
    let mounts = |spec: &Value| -> Vec<String> {
        spec["mounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["destination"].as_str().unwrap().into())
            .collect()
    };
    let expected = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/etc/resolv.conf"];
    assert_eq!(mounts(&spec), expected);
    assert_eq!(mounts(&made(false)), expected[..6]);
    let options = json!(["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]);
    assert_eq!(spec["mounts"][2]["options"], options);
}

#[test]
fn an_unknown_user_is_root_only_where_layers_are_left_out() {
    let with = |users: &Users, spec: &str| {
        let config = image(&format!(r#""User":"{spec}""#));
        let made = runtime_config(&config, users, &Volumes::default(), &RuntimeOptions::default())?;
        let value: Value = serde_json::from_slice(&made.text).unwrap();
        let env = value["process"]["env"].as_array().unwrap().last().unwrap().clone();
        Ok::<_, Error>((value["process"]["user"].to_string(), env, made.user_known))
    };
    let (all, unknown) = (users(&root()).unwrap(), Users::default());
    let partial = all.clone().partial();
    let root_instead = (r#"{"gid":0,"uid":0}"#.to_owned(), json!("TERM=xterm"), false);
    for spec in ["nobody", "web:nobody", "1:nobody"] {
        assert_eq!(with(&all, spec).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(with(&partial, spec).unwrap(), root_instead);
        assert_eq!(with(&unknown, spec).unwrap(), root_instead);
    }
    let web = (r#"{"additionalGids":[10,20],"gid":34,"uid":33}"#.to_owned(), json!("HOME=/var/www"), true);
    assert_eq!(with(&all, "web").unwrap(), web);
    assert_eq!(with(&partial, "web").unwrap(), web);
    let numbers = (r#"{"gid":6,"uid":5}"#.to_owned(), json!("TERM=xterm"), true);
    assert_eq!(with(&unknown, "5:6").unwrap(), numbers);
}
