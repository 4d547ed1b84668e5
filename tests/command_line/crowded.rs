//! A target that takes a limited number of connections: it is found out, told, and tested all the same.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::harness::{Desk, Serving};

/// Connections to `port` that their client holds open: not those that it closed, however late the server sees it.
fn held(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let to = format!(":{port:04X}");
    let fields = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields.filter(|f| f[2].ends_with(&to) && f[3] == "01").count()
}

/// In front of a server: each of five workers serves one connection until that ends, up to fifteen wait, and any
/// further one is closed. Gives the URL, and how many a client held open at once at most.
fn five_workers(behind: &str) -> (String, Arc<AtomicUsize>) {
    let behind = behind.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (url, port) = (format!("http://{address}"), address.port());
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (waiting, next) = mpsc::channel::<TcpStream>();
    let next = Arc::new(Mutex::new(next));
    for _ in 0..5 {
        let (next, behind, open) = (Arc::clone(&next), behind.clone(), Arc::clone(&open));
        std::thread::spawn(move || {
            loop {
                let Ok(client) = next.lock().unwrap().recv() else { return };
                let _ = serve(client, &behind);
                open.fetch_sub(1, Ordering::SeqCst);
            }
        });
    }
    let seen = Arc::clone(&most);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if open.load(Ordering::SeqCst) >= 20 {
                continue;
            }
            seen.fetch_max(held(port), Ordering::SeqCst);
            open.fetch_add(1, Ordering::SeqCst);
            let _ = waiting.send(client);
        }
    });
    (url, most)
}

fn serve(client: TcpStream, behind: &str) -> std::io::Result<()> {
    let server = TcpStream::connect(behind)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (client, server);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = back.join();
    Ok(())
}

#[test]
fn a_target_of_five_workers_is_tested_with_fewer_connections() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some("some-token"));
    let (url, _) = five_workers(&serving.url);
    let run = ["run", "race", "unique", "accept", "http", "--target", &url];
    desk.with_token(&run, Some("some-token"))
        .ends(0)
        .says(&["CONFORMANT", "the target did not take"]);
    assert_eq!(desk.found(), [""; 0]);
}

#[test]
fn a_soak_of_a_target_of_five_workers_goes_on() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let (url, _) = five_workers(&serving.url);
    desk.batchproof(&["run", "soak/ten-items", "--runs", "3000", "--target", &url]).ends(0);
    assert_eq!(desk.report()["cases"][0]["runs"], 3000);
}

#[test]
fn a_target_that_takes_connections_enough_has_no_more_than_jobs_and_one_race() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some("some-token"));
    let (url, most) = five_workers(&serving.url);
    // Two jobs, and a race of two at most: four connections, and those of the race before, which are being closed.
    desk.file("profile.yaml", "limits: { jobs: 2 }\n");
    let run = ["run", "race", "unique", "--profile", "profile.yaml", "--target", &url];
    desk.with_token(&run, Some("some-token")).ends(0);
    let most = most.load(Ordering::SeqCst);
    assert!((2..=2 + 2 + 2).contains(&most), "{most} connections");
}

/// In front of a server: it serves `most` connections at once, and closes any further one without a word.
fn closing(behind: &str, most: usize) -> String {
    let behind = behind.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let open = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if open.load(Ordering::SeqCst) >= most {
                continue;
            }
            open.fetch_add(1, Ordering::SeqCst);
            let (behind, open) = (behind.clone(), Arc::clone(&open));
            std::thread::spawn(move || {
                let _ = serve(client, &behind);
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    url
}

#[test]
fn a_target_that_closes_what_is_too_much_is_accused_of_nothing() {
    let few = ["run", "order", "http", "accept", "--depth", "quick"];
    let many = ["run", "accept", "http", "unique", "refuse"];
    for (connections, run) in [(1, &few[..]), (2, &few), (6, &many)] {
        let desk = Desk::new();
        let serving = Serving::start(&[], Some("some-token"));
        let url = closing(&serving.url, connections);
        let run = [run, &["--target", &url]].concat();
        let ran = desk.with_token(&run, Some("some-token"));
        // What gets no answer on the connections that are left may stay untested.
        assert_ne!(ran.code, 1, "{connections} connections: {}", ran.text());
        assert_eq!(desk.found(), [""; 0], "{connections} connections: {}", ran.text());
    }
}
