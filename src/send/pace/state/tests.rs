use super::*;

fn none(_: &str) -> Option<String> {
    None
}

/// Sends as fast as the pace allows, each request with `latency` milliseconds to the target and back, of which it
/// reaches the target at a random one; when the target saw them.
fn seen(state: &mut PaceState, requests: usize, jobs: usize, latency: u64) -> Vec<Duration> {
    let start = state.next;
    let mut now = start;
    let (mut under_way, mut seen, mut random) = (Vec::<(Instant, u64)>::new(), Vec::new(), 7_u64);
    while seen.len() < requests {
        under_way.sort_unstable();
        while under_way.first().is_some_and(|(end, _)| *end <= now) {
            let (end, number) = under_way.remove(0);
            state.ended(number, end);
        }
        let until = if under_way.len() >= jobs {
            now + Duration::from_hours(1)
        } else {
            match state.admit(1, under_way.len(), now) {
                Ok(number) => {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11);
                    let arrives = (random >> 33) % (latency + 1);
                    seen.push(now + Duration::from_millis(arrives) - start);
                    under_way.push((now + Duration::from_millis(latency), number));
                    continue;
                }
                Err(until) => until,
            }
        };
        let first = under_way.iter().map(|(end, _)| *end).min();
        now = first.map_or(until, |end| end.min(until)).max(now + Duration::from_micros(1));
    }
    seen.sort_unstable();
    seen
}

#[test]
fn a_rate_holds_in_every_second_that_the_target_sees() {
    for (rate, most) in [(5.0, 5), (20.0, 20), (2.5, 2), (300.0, 300)] {
        for latency in [0, 30, 400, 3_000] {
            for jobs in [1, 4, 16, 400] {
                let mut state = PaceState::new(Some(rate), Instant::now());
                let seen = seen(&mut state, 400, jobs, latency.min(1_000));
                for (at, first) in seen.iter().enumerate() {
                    let within =
                        seen[at..].iter().take_while(|t| t.saturating_sub(*first) < WINDOW);
                    let count = within.count();
                    assert!(count <= most, "{count} at {rate}/s, {latency} ms, {jobs} jobs");
                }
                if latency <= 30 && jobs >= 16 {
                    let seconds = seen.last().unwrap().as_secs_f64();
                    let wanted = 400.0 / most as f64;
                    assert!(seconds <= wanted * 1.1 + 1.0, "{seconds} s at {rate}/s");
                }
            }
        }
    }
}

#[test]
fn a_race_counts_as_many_requests_as_it_has() {
    let start = Instant::now();
    let mut state = PaceState::new(Some(5.0), start);
    assert_eq!(state.together(), 5);
    let first = state.admit(4, 0, start).unwrap();
    let soon = start + Duration::from_millis(10);
    (0..4).for_each(|nth| state.ended(first + nth, soon));
    let later = start + Duration::from_millis(900);
    assert!(state.admit(1, 0, later).is_ok(), "the fifth of the second");
    assert_eq!(
        state.admit(1, 1, later + Duration::from_millis(1)).unwrap_err(),
        later + Duration::from_millis(200)
    );
    assert!(
        state.admit(5, 0, start + Duration::from_millis(1_100)).is_err(),
        "only four have gone by"
    );
}

fn refuse(state: &mut PaceState, status: u16, pause: Option<u64>, sent: &Sent, now: Instant) {
    let header = move |name: &str| pause.filter(|_| name == "retry-after").map(|s| s.to_string());
    state.heard(status, &Advice::of(status, &header), sent, now);
}

#[test]
fn a_rate_that_was_refused_is_not_tried_again_for_a_while() {
    let start = Instant::now();
    let mut state = PaceState::new(None, start);
    // Thirty in the first second, and the last of them is refused.
    for nth in 0..30 {
        state.admit(1, 0, start + Duration::from_millis(nth * 10)).unwrap();
    }
    let now = start + Duration::from_millis(300);
    let sent = Sent { released: now, under_way: 1, average: 30.0 };
    refuse(&mut state, 429, None, &sent, now);
    let mut now = now + USUAL_PAUSE;
    let mut released: Vec<Instant> = Vec::new();
    while now < start + Duration::from_secs(25) {
        match state.admit(1, 0, now) {
            Ok(_) => released.push(now),
            Err(until) => now = until,
        }
    }
    for at in &released {
        let within = released.iter().filter(|t| *t >= at && **t - *at < WINDOW).count();
        assert!(within < 30, "{within}");
    }
    assert!(released.len() > 24 * 15, "{} in 24 s is too slow", released.len());
}

#[test]
fn a_target_that_is_busy_gets_fewer_requests_at_once() {
    let start = Instant::now();
    let mut state = PaceState::new(None, start);
    let mut now = start;
    for _ in 0..20 {
        let under_way = state.together().min(16);
        if under_way > 4 {
            let sent = Sent { released: now, under_way, average: 1.0 };
            refuse(&mut state, 503, Some(1), &sent, now);
            assert!(state.together() < under_way);
        }
        now += Duration::from_secs(1);
    }
    assert!((2..=4).contains(&state.together()), "{}", state.together());
    for _ in 0..20 {
        let sent = Sent { released: now, under_way: state.together(), average: 1.0 };
        refuse(&mut state, 503, Some(1), &sent, now);
        now += Duration::from_secs(1);
    }
    assert_eq!(state.together(), 2, "two are simultaneous");
}

#[test]
fn a_pause_of_a_day_is_cut_down_once_and_then_hopeless() {
    let start = Instant::now();
    let mut state = PaceState::new(None, start);
    let sent = |released| Sent { released, under_way: 1, average: 1.0 };
    refuse(&mut state, 429, Some(86_400), &sent(start), start);
    assert_eq!(state.admit(1, 0, start).unwrap_err(), start + LONGEST_PAUSE);
    assert!(state.trouble.as_ref().unwrap().hopeless.is_none());
    let later = start + LONGEST_PAUSE;
    assert!(state.admit(1, 0, later + WINDOW).is_ok());
    refuse(&mut state, 429, Some(86_400), &sent(later), later);
    let why = state.trouble.as_ref().unwrap().hopeless.clone().unwrap();
    assert!(why.contains("86400 s") && why.contains("at most 60 s"), "{why}");
    state.heard(200, &Advice::of(200, &none), &sent(later), later);
    assert!(state.trouble.is_none(), "a good answer ends the trouble");
}

#[test]
fn what_is_left_of_a_quota_is_not_exceeded() {
    let start = Instant::now();
    let mut state = PaceState::new(None, start);
    let header = |name: &str| (name == "ratelimit").then(|| "\"a\";r=3;t=7".to_owned());
    let sent = Sent { released: start, under_way: 2, average: 1.0 };
    state.heard(200, &Advice::of(200, &header), &sent, start);
    // One of the three may be under way already.
    assert!(state.admit(2, 0, start).is_ok());
    assert_eq!(state.admit(1, 0, start).unwrap_err(), start + Duration::from_secs(7));
    assert!(state.admit(1, 0, start + Duration::from_secs(7)).is_ok());
}

#[test]
fn an_answer_that_was_overtaken_renews_no_quota() {
    let start = Instant::now();
    let mut state = PaceState::new(None, start);
    let left = |left: u64| {
        let field = format!("\"a\";r={left};t=7");
        Advice::of(200, &move |name: &str| (name == "ratelimit").then(|| field.clone()))
    };
    let sent = Sent { released: start, under_way: 1, average: 1.0 };
    let heard = start + Duration::from_millis(10);
    state.heard(200, &left(1), &sent, heard);
    state.heard(200, &left(9), &sent, heard + Duration::from_millis(1));
    assert!(state.admit(1, 0, heard).is_ok());
    assert!(state.admit(1, 0, heard).is_err(), "the older answer counts for nothing");
    let later = Sent { released: heard + Duration::from_millis(2), ..sent };
    state.heard(200, &left(9), &later, heard + Duration::from_millis(3));
    assert!(state.admit(8, 0, heard + Duration::from_millis(3)).is_ok());
}
