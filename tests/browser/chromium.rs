//! A headless Chromium, spoken to in its own protocol (Chrome `DevTools`) over a `WebSocket`: what a test does by
//! hand, a reader does too. It knows nothing of reports.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// No test waits longer for an answer of the browser.
const PATIENCE: Duration = Duration::from_mins(1);

/// The browser on the `PATH`, or what `CHROMIUM` names.
pub fn installed() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|dir| NAMES.map(|name| dir.join(name)))
        .find(|file| file.is_file())
}

/// A page in a browser of its own, which ends with the test.
pub struct Page {
    _browser: Browser,
    socket: BufReader<TcpStream>,
    /// What the browser calls the page.
    session: Option<String>,
    asked: u64,
    /// What the browser told without being asked.
    told: Vec<Value>,
    _profile: TempDir,
}

impl Page {
    /// Opens an empty page.
    pub fn open() -> Page {
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser(
            Command::new(installed().expect("a browser"))
                // The only pages opened are those that the tests made, and root has no sandbox.
                .args([
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                ])
                .args([
                    "--no-first-run",
                    "--disable-background-networking",
                    "--remote-debugging-port=0",
                ])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .arg("about:blank")
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .process_group(0)
                .spawn()
                .unwrap(),
        );
        let mut lines = BufReader::new(browser.0.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| Some(line.unwrap().split_once("listening on ws://")?.1.to_owned()))
            .expect("the browser's address");
        // A pipe that nobody reads fills up, and the browser with it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut page = Page {
            _browser: browser,
            socket: BufReader::new(upgraded(&address)),
            session: None,
            asked: 0,
            told: Vec::new(),
            _profile: profile,
        };
        let target = page.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = page.ask("Target.attachToTarget", &attach);
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.ask(&format!("{domain}.enable"), &json!({}));
        }
        page
    }

    /// Goes to a file, with an anchor or without, and waits until it is there.
    pub fn go(&mut self, file: &Path, anchor: &str) {
        let url = format!("file://{}{anchor}", file.display());
        self.ask("Page.navigate", &json!({ "url": url }));
        self.until("document.readyState == 'complete' && location.protocol == 'file:'");
    }

    /// What an expression comes to on the page.
    #[track_caller]
    pub fn value(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", &ask);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until something holds on the page.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != true {
            assert!(begun.elapsed() < PATIENCE, "never: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key, as the keyboard does; a single character is typed.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            "Tab" | "Escape" => "",
            typed => typed,
        };
        let down = json!({
            "type": "keyDown", "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code,
        });
        self.ask("Input.dispatchKeyEvent", &down);
        let up = json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code });
        self.ask("Input.dispatchKeyEvent", &up);
    }

    pub fn type_in(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string());
        }
    }

    pub fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
    }

    /// `light` or `dark`, on a `screen` or in `print`.
    pub fn media(&mut self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", &json!({ "media": media, "features": features }));
    }

    pub fn without_javascript(&mut self) {
        self.ask("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Exceptions, complaints (a breach of the page's policy is one) and requests so far.
    pub fn told(&mut self, method: &str) -> Vec<&Value> {
        self.value("1");
        self.told.iter().filter(|event| event["method"] == method).collect()
    }

    /// One command of the protocol and its answer.
    #[track_caller]
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let mut command = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = Value::from(session.as_str());
        }
        write_frame(self.socket.get_mut(), command.to_string().as_bytes());
        loop {
            let message: Value = serde_json::from_slice(&read_message(&mut self.socket)).unwrap();
            if message["id"] == self.asked {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.told.push(message);
        }
    }
}

/// A process with children of its own, which end with it.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        // What a browser starts outlives it where it is killed; all are of one group.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A `WebSocket` (RFC 6455) to that host, port and path.
fn upgraded(address: &str) -> TcpStream {
    let (address, path) = address.trim().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = format!(
        "GET /{path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).unwrap();
    // Byte by byte: what follows the head is the first frame's.
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A whole text message; the mask is all zeros, which RFC 6455 section 5.3 lets a test do.
fn write_frame(stream: &mut TcpStream, text: &[u8]) {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(short @ 0..=125) => frame.push(0x80 | u8::try_from(short).unwrap()),
        Ok(length) => {
            frame.push(0x80 | 0x7e);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 0x7f);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    stream.write_all(&frame).unwrap();
}

fn read_message(stream: &mut impl Read) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        let length = match head[1] & 0x7f {
            126 => {
                let mut bytes = [0; 2];
                stream.read_exact(&mut bytes).unwrap();
                u64::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                stream.read_exact(&mut bytes).unwrap();
                u64::from_be_bytes(bytes)
            }
            short => u64::from(short),
        };
        let mut part = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut part).unwrap();
        // Text, and what continues it; the rest is the protocol's own.
        if matches!(head[0] & 0x0f, 0..=2) {
            message.extend(part);
            if head[0] & 0x80 != 0 {
                return message;
            }
        }
    }
}
