//! Layouts and archives on a web server, nginx.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ocicle_tests::{
    nested,
    ocicle::{at, ocicle, text, try_ocicle},
    temp::TempDir,
    tools,
};

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Serves a directory; `None` if nginx is not installed.
    fn start(dir: &TempDir) -> Option<Self> {
        let program = tools::require("nginx")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = dir.path().display();
        let settings = format!(
            "daemon off; pid {at}/pid; error_log {at}/log;\n\
             events {{}}\n\
             http {{\n\
               access_log off; gzip on; gzip_types application/json; gzip_min_length 1;\n\
               client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;\n\
               uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;\n\
               types {{ application/json json; }}\n\
               server {{ listen 127.0.0.1:{port}; root {at}/www; }}\n\
             }}\n"
        );
        let file = dir.path().join("nginx.conf");
        fs::write(&file, settings).unwrap();
        let process = Command::new(program)
            .args(["-c", text(&file), "-p", text(dir.path())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "nginx does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its workers end with it, where it is asked.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

#[test]
fn a_layout_and_an_archive_are_read_as_they_are() {
    let temp = TempDir::new().unwrap();
    let www = temp.path().join("www");
    let layout = www.join("images");
    fs::create_dir_all(&layout).unwrap();
    nested::layout(&layout);
    ocicle(["copy", &at(&layout, "v1"), &format!("oci-archive:{}", text(&www.join("v1.tar")))]);
    // nginx's workers are another user.
    tools::run("chmod", ["-R", "go+rX", text(temp.path())]);
    let Some(server) = Server::start(&temp) else { return };
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", server.port);
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
