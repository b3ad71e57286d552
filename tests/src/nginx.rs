//! nginx, on this machine alone.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    ocicle::text,
    temp::TempDir,
    tools::{self, run},
};

/// Settings that let pages of any origin read files, and parts of them.
pub const FOR_PAGES: &str = "add_header Access-Control-Allow-Origin * always; \
    add_header Access-Control-Expose-Headers 'Accept-Ranges, Content-Length, Content-Range' always;";

/// A running server, which ends with this value.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    port: u16,
}

impl Nginx {
    /// Serves the directory `www` of a directory, which everybody can read then; `None` if nginx is not
    /// installed, see [`tools::require`]. `settings` are those of the block `http`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(dir: &TempDir, settings: &str) -> Option<Self> {
        let program = tools::require("nginx")?;
        // Its workers are another user.
        run("chmod", ["-R", "go+rX", text(dir.path())]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = dir.path().display();
        let settings = format!(
            "daemon off; pid {at}/pid; error_log {at}/log;\n\
             events {{}}\n\
             http {{\n\
               access_log off; types {{ application/json json; }}\n\
               client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;\n\
               uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;\n\
               {settings}\n\
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

    /// Returns the address of a file in `www`.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, where it is asked.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}
