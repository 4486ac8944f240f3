//! The command line.

use clap::{Args, Parser, Subcommand};

/// Measures mod_wasm, and prints Markdown tables.
///
/// Servers listen on 127.0.0.1 and end with the program. What they read is laid out in /var/cache/mod_wasm-bench, or in
/// mod_wasm-bench of your cache folder without root; MOD_WASM_STAGE names another folder. An answer that is not the
/// expected one fails the run. For figures worth keeping, let nothing else run on the machine.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Quick(Quick),
    Start(Start),
    Targets(Targets),
    Interruption(Interruption),
    Php(Php),
    Image(Image),
}

/// What requests cost: beside static files and native CGI, another revision, and peers.
///
/// For each row: processor time, requests per second, latency, page faults and system calls; for hello in C and in Rust
/// also the instructions that a request executes, counted by callgrind.
///
/// Rows are measured in turn, round by round, so that a busy moment of the machine hits all of them alike. It needs
/// control groups: run it as root, or with `systemd-run --user --scope --property Delegate=yes`.
#[derive(Args)]
pub(crate) struct Quick {
    /// Builds this revision too, and runs it side by side: the same configuration, programs and data, its own code
    #[arg(long, value_name = "REVISION")]
    pub(crate) compare: Option<String>,
    /// Measures mod_php, php-fpm, php-cgi and mod_wsgi too
    #[arg(long)]
    pub(crate) peers: bool,
    /// Measures only the rows whose name contains this text; may be repeated
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Vec<String>,
    /// How many times each row is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// How long a measurement lasts; answers that are on their way are waited for
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// How many connections ask at the same time, each as soon as it has its answer
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) connections: u16,
    #[command(flatten)]
    pub(crate) port: Port,
}

/// How long httpd takes from its start to the first answer of a PHP page, with compiled code in the cache and without.
#[derive(Args)]
pub(crate) struct Start {
    /// Starts with compiled code in the cache
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) warm_runs: u16,
    /// Starts with an empty cache
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) cold_runs: u16,
    #[command(flatten)]
    pub(crate) port: Port,
}

/// Code that was compiled for this processor (native) beside code for any of its architecture (baseline).
///
/// Two servers share configuration and data. In each round a page is asked of one and then of the other, in an order
/// that changes from round to round. Compared is the processor time of an answer. It needs control groups, as `quick`.
#[derive(Args)]
pub(crate) struct Targets {
    /// How many times each page is measured on each server
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    #[command(flatten)]
    pub(crate) port: Port,
}

/// Runs that are ended by epochs beside runs that are ended by a page that is taken away.
///
/// As `targets`: two servers share configuration and data, and each page is asked of one and then of the other.
#[derive(Args)]
pub(crate) struct Interruption {
    /// How many times each page is measured on each server
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    #[command(flatten)]
    pub(crate) port: Port,
}

/// PHP in all ways in which httpd runs it: ours and the prebuilt one in mod_wasm, Debian's, and one of the same sources as ours.
///
/// Pages: hello, phpinfo, PHP's own Zend/bench.php, a page of Symfony, WordPress's front page and dashboard. Each way has an httpd of its
/// own. They are asked for a page in turn, round by round. It needs control groups, as `quick`, and builds PHP with
/// `scripts/php-native` where that is missing: ten minutes of processor time.
#[derive(Args)]
pub(crate) struct Php {
    /// Measures only the pages and ways whose name contains this text ("hello, mod_wasm, warm"); may be repeated
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Vec<String>,
    /// How many times each is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// How long a measurement lasts; answers that are on their way are waited for
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// How many connections ask at the same time, each as soon as it has its answer
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) connections: u16,
    /// Measures nothing, and tells where the processor time of each page goes that mod_wasm serves: functions of PHP, page faults,
    /// system calls, the rest of the server. It samples by perf, one page after the other, for as long as all rounds would take
    #[arg(long)]
    pub(crate) profile: bool,
    #[command(flatten)]
    pub(crate) port: Port,
}

/// How long a container takes from `docker run` to its first answers, and the sizes of the images.
///
/// It uses the `docker` on PATH, and images that `make image` made before, under the name that MOD_WASM_IMAGE gives
/// (httpd-mod-wasm). Each start is that of a container that was never started before.
#[derive(Args)]
pub(crate) struct Image {
    /// Starts for each page
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,
    #[command(flatten)]
    pub(crate) port: Port,
}

#[derive(Args)]
pub(crate) struct Port {
    /// The first port; further servers take the next ones
    #[arg(long = "port", default_value_t = 8099, value_parser = clap::value_parser!(u16).range(1..=65_000))]
    pub(crate) first: u16,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.01..=60.0).contains(&value) => Ok(value),
        _ => Err("not a number from 0.01 to 60".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_measurement_lasts_a_while_and_ends() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "61", "NaN", "long"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
