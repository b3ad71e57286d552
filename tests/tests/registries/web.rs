//! Layouts and archives on a web server, nginx.

use std::fs;

use ocicle_tests::{
    nested,
    nginx::Nginx,
    ocicle::{at, ocicle, text, try_ocicle},
    temp::TempDir,
};

#[test]
fn a_layout_and_an_archive_are_read_as_they_are() {
    let temp = TempDir::new().unwrap();
    let www = temp.path().join("www");
    let layout = www.join("images");
    fs::create_dir_all(&layout).unwrap();
    nested::layout(&layout);
    ocicle(["copy", &at(&layout, "v1"), &format!("oci-archive:{}", text(&www.join("v1.tar")))]);
    let settings = "gzip on; gzip_types application/json; gzip_min_length 1;";
    let Some(server) = Nginx::start(&temp, settings) else { return };
    let url = |path: &str| server.at(path);
    let digest = ocicle(["resolve", &at(&layout, "v1")]);
    for reference in [url("images#v1"), url("images/#v1"), url("v1.tar#v1")] {
        assert_eq!(ocicle(["resolve", &reference]), digest, "{reference}");
        let one = format!("{reference}//platform=linux/amd64");
        let local = at(&layout, "v1//platform=linux/amd64");
        assert_eq!(ocicle(["files", &one]), ocicle(["files", &local]));
        let back = temp.path().join(format!("back{}", reference.len()));
        ocicle(["copy", &reference, &format!("oci:{}", text(&back))]);
        ocicle(["check", text(&back)]);
        fs::remove_dir_all(&back).unwrap();
    }
    let edit = try_ocicle(["config", &url("images#v1//platform=linux/amd64"), "--label", "a=b"]);
    assert_eq!(edit.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&edit.stderr).contains("read-only"), "{edit:?}");
    let none = try_ocicle(["ls", &url("nothing")]);
    assert!(
        String::from_utf8_lossy(&none.stderr).contains("not the files of an OCI image layout"),
        "{none:?}"
    );
}
