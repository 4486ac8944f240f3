//! Our own PHP: its integers have 64 bits and its sizes 32, and nobody notices. Native PHP answers the same calls.

use std::process::Command;

use mod_wasm_tests::command::{output, stderr, stdout};
use mod_wasm_tests::{php, program};

/// A number that is 5 when it is cut down to 32 bits.
const LARGE: &str = "const N = (1 << 32) + 5; const FILE = 'php://memory';
    function file_with($text) { $file = fopen(FILE, 'w+'); fwrite($file, $text); rewind($file); return $file; }";

/// Runs the calls from one on, a line each. A fatal error ends the run: it is the answer of its call.
const RUN: &str = r#"
    set_error_handler(fn($level, $message) => print("[$message] "));
    register_shutdown_function(function () {
        $error = error_get_last();
        if ($error) echo strtok($error['message'], "\n"), "\n";
    });
    foreach (array_slice(CALLS, (int) $argv[1]) as $call) {
        try { echo json_encode(eval($call)), "\n"; }
        catch (Throwable $error) { echo get_class($error), ': ', $error->getMessage(), "\n"; }
    }"#;

/// What native PHP is asked too.
const CALLS: &[&str] = &[
    // Positions and lengths of strings.
    "$s = 'abc'; return $s[N];",
    "$s = 'abcdefgh'; return [isset($s[N]), empty($s[N]), $s[N] ?? 'none', isset($s[-N]), 'abcdefgh'[N] ?? 'none'];",
    "$s = 'abcdefgh'; $s[N] = 'x'; return $s;",
    "$s = 'abcdefgh'; $s[-N] = 'x'; return $s;",
    "return [substr('abcdefgh', N), substr('abcdefgh', -N), substr('abcdefgh', 1, N), substr('abcdefgh', 1, -N)];",
    "return [substr_replace('abcdefgh', 'x', N), substr_replace('abcdefgh', 'x', 1, N), substr_replace('abcdefgh', 'x', -N, -N)];",
    "return substr_replace(['abcdefgh'], ['x'], [N], [N]);",
    "return strpos('abcdefgh', 'f', N);",
    "return stripos('abcdefgh', 'f', -N);",
    "return strrpos('abcdefgh', 'f', N);",
    "return strrpos('abcdefgh', 'f', -N);",
    "return strripos('abcdefgh', 'f', -N);",
    "return substr_count('abcdefgh', 'f', N);",
    "return substr_count('abcdefgh', 'f', 0, N);",
    "return substr_compare('abcdefgh', 'abcdeX', 0, N) <=> 0;",
    "return substr_compare('abcdefgh', 'abcdeX', N);",
    "return [substr_compare('abcdefgh', 'ABCDEX', 0, N, true) <=> 0, substr_compare('abcdefgh', 'abcdefgh', -N)];",
    "return [strncmp('abcdefgh', 'abcdeX', N) <=> 0, strncasecmp('abcdefgh', 'abcdeX', N) <=> 0];",
    "return [strspn('aaaaaaaa', 'a', 0, N), strspn('aaaaaaaa', 'a', N), strcspn('bbbbbbbb', 'a', -N, N), strcspn('bbbbbbbb', 'a', 0, -N)];",
    "return [str_split('abcdefgh', N), chunk_split('abcdefgh', N, '.')];",
    "return [wordwrap('a b c d e f', N, '-'), wordwrap('a b c d e f', N, '--', true)];",
    "return [levenshtein('abc', 'abd', N, N, N), similar_text('abc', 'abd')];",
    "return [explode(',', 'a,b,c,d,e,f,g', N), explode(',', 'a,b,c,d,e,f,g', -N)];",
    "return [implode(',', sscanf('abcdefgh', '%4294967301s')), sscanf('abcdefgh', '%4294967301[a-z]')];",
    // What does not fit into memory.
    "return str_pad('abc', N, '-');",
    "return str_pad('abc', -N, '-');",
    "return str_repeat('ab', N);",
    "return str_repeat('', N);",
    "return strlen(str_repeat('ab', 1 << 31));",
    "return strlen(random_bytes(N));",
    "return metaphone('Thumb', N);",
    "return hash_pbkdf2('sha256', 'a', 'b', 1, N);",
    "return hash_pbkdf2('sha256', 'a', 'b', 1, N, true);",
    "return hash_hkdf('sha256', 'key', N);",
    "return strlen((new Random\\Randomizer)->getBytes(N));",
    "return new SplFixedArray(N);",
    "$a = new SplFixedArray(3); $a->setSize(N); return $a->getSize();",
    "$a = new SplFixedArray(8); return isset($a[N]);",
    "$a = new SplFixedArray(8); try { $a[N] = 1; } catch (RuntimeException) { return 'refused'; }",
    "try { return range(0, N); } catch (ValueError) { return 'refused'; }",
    "return array_fill(0, N, 1);",
    "try { return array_pad([1], N, 1); } catch (ValueError) { return 'refused'; }",
    // Arrays.
    "$a = [1, 2, 3, 4, 5, 6, 7]; return [array_slice($a, N), array_slice($a, -N), array_slice($a, 0, N), array_slice($a, 0, -N), array_chunk($a, N)];",
    "$a = [1, 2, 3, 4, 5, 6, 7]; return [array_splice($a, 1, N), $a, array_splice($a, N, 1, 'x'), $a];",
    "return array_rand([1, 2, 3, 4, 5, 6, 7], N);",
    "return array_fill(N, 2, 1);",
    "$a = [N => 1]; $a[] = 2; return [$a, isset($a[5]), array_key_last($a)];",
    "return [range(N, N + 1), range(0, N, 1 << 31)];",
    // Expressions.
    "return [preg_replace('/a/', 'b', 'aaaaaaaa', N), preg_replace_callback('/a/', fn() => 'b', 'aaaaaaaa', N), preg_split('/,/', '1,2,3,4,5,6,7', N)];",
    "return [preg_replace(['/a/'], ['b'], ['aaaaaaaa'], N), preg_replace_callback(['/a/'], fn() => 'b', ['aaaaaaaa'], N), preg_filter('/a/', 'b', 'aaaaaaaa', N)];",
    "return [preg_match('/f/', 'abcdefgh', $m, 0, N), $m, preg_last_error_msg()];",
    "return [preg_match('/a/', 'abcdefgh', $m, 0, -N), $m, preg_match_all('/[a-z]/', 'abcdefgh', $m, 0, N)];",
    // Streams.
    "return fread(file_with('abcdefgh'), N);",
    "return fgets(file_with('abcdefgh'), N);",
    "return fgetcsv(file_with('abcdefgh'), N, ',', '\"', '');",
    "return file_get_contents(tempnam('/tmp', 'a'), false, null, N);",
    "$to = fopen(FILE, 'w+'); return [stream_copy_to_stream(file_with('abcdefgh'), $to, N), stream_get_contents($to, -1, 0)];",
    "$to = fopen(FILE, 'w+'); return [fwrite($to, 'abcdefgh', N), stream_get_contents($to, -1, 0)];",
    "$f = fopen('php://temp/maxmemory:' . N, 'w+'); fwrite($f, 'abcdefgh'); return stream_get_meta_data($f)['mode'];",
    "return ftruncate(file_with('abcdefgh'), N);",
    "$p = tempnam('/tmp', 'a'); $f = fopen($p, 'w+'); $r = [ftruncate($f, N), filesize($p), fstat($f)['size'], fseek($f, N - 1), bin2hex(fread($f, 9)), ftell($f)]; unlink($p); return $r;",
    "$p = tempnam('/tmp', 'a'); $f = new SplFileObject($p, 'w+'); $r = [$f->ftruncate(N), $f->fwrite('abcdefgh', N), clearstatcache(), filesize($p)]; unlink($p); return $r;",
    "$f = new SplTempFileObject(); $f->setMaxLineLen(N); return $f->getMaxLineLen();",
    "$f = new SplTempFileObject(); $f->fwrite('abcdefgh'); $f->rewind(); return $f->fread(N);",
    "$h = hash_init('md5'); return [hash_update_stream($h, file_with('abcdefgh'), N), hash_final($h)];",
    "return [gzuncompress(gzcompress('abcdefgh'), N), gzinflate(gzdeflate('abcdefgh'), N), gzdecode(gzencode('abcdefgh'), N)];",
    // Data.
    "return unserialize('s:4294967301:\"abcde\";');",
    "return unserialize('a:4294967296:{}');",
    "return unserialize('O:4294967297:\"A\":0:{}');",
    "return unserialize('C:11:\"ArrayObject\":4294967301:{abcde}');",
    "return [unpack('a4294967301x', 'abcdefgh'), iterator_to_array(new LimitIterator(new ArrayIterator([1, 2, 3, 4, 5, 6, 7]), 1, N))];",
    "return number_format(1234.5, N);",
    "return [round(1234.5, N), round(1234.5, -N)];",
    "return [date('B', N), date('B U', N * 3), gmdate('c', N), iconv_strlen('abcdefgh')];",
    "return [iconv_substr('abcdefgh', N), iconv_substr('abcdefgh', -N), iconv_substr('abcdefgh', 0, N), iconv_strpos('abcdefghf', 'h', 5)];",
    "return iconv_strpos('abcdefghf', 'f', N);",
];

/// What native PHP may lack the extension for or answers differently in older versions, and the answer of one of 64 bits.
const MORE_CALLS: &[(&str, &str)] = &[
    (
        "return [mb_substr('abcdefgh', N), mb_substr('abcdefgh', -N), mb_substr('abcdefgh', 1, N), mb_substr('abcdefgh', 1, -N)];",
        r#"["","abcdefgh","bcdefgh",""]"#,
    ),
    (
        "return [mb_strcut('abcdefgh', 1, N), mb_strcut('abcdefgh', N), mb_strimwidth('abcdefgh', 0, N), mb_str_split('abcdefgh', 1 << 29)];",
        r#"["bcdefgh","","abcdefgh",["abcdefgh"]]"#,
    ),
    (
        "return mb_strpos('abcdefgh', 'f', N);",
        "ValueError: mb_strpos(): Argument #3 ($offset) must be contained in argument #1 ($haystack)",
    ),
    (
        "return mb_stripos('abcdefgh', 'f', -N);",
        "ValueError: mb_stripos(): Argument #3 ($offset) must be contained in argument #1 ($haystack)",
    ),
    (
        "return mb_str_pad('abc', N);",
        OUT_OF_MEMORY,
    ),
    (
        "$db = new SQLite3(':memory:'); $db->exec(\"create table t (b); insert into t values (x'6162636465666768')\"); $b = $db->openBlob('t', 'b', 1);
         return [fseek($b, N), fseek($b, 1 << 32), fseek($b, -N, SEEK_END), fseek($b, 1) || fseek($b, N, SEEK_CUR), fseek($b, 1), fread($b, 9)];",
        r#"[-1,-1,-1,true,0,"bcdefgh"]"#,
    ),
    (
        "return [stream_get_contents(file_with('abcdefgh'), N), stream_get_contents(file_with('abcdefgh'), N, 1), stream_get_line(file_with('abcdefgh;x'), N, ';'), file_get_contents('data:,abcdefgh', false, null, 1, N)];",
        r#"["abcdefgh","bcdefgh","abcdefgh","bcdefgh"]"#,
    ),
    (
        "$f = file_with('abcdefgh'); return [fseek($f, N), ftell($f), fread($f, 1), feof($f), fseek($f, -N, SEEK_CUR), ftell($f), fseek($f, -N, SEEK_END)];",
        r#"[0,4294967301,"",true,0,0,-1]"#,
    ),
    (
        "$f = file_with('abcdefgh'); fseek($f, N); return fwrite($f, 'x');",
        OUT_OF_MEMORY,
    ),
    (
        "ob_start(fn($s) => \"<$s>\", N); echo 'abcdefgh'; echo 'ijklmnop'; return ob_get_clean();",
        r#""abcdefghijklmnop""#,
    ),
    (
        "return bcround('1.5', 1 << 32);",
        "ValueError: bcround(): Argument #2 ($precision) must be between -9223372036854775808 and 2147483647",
    ),
];

const OUT_OF_MEMORY: &str = "memory exhausted";

/// Without sums of bytes, which depend on how an allocator rounds.
fn plain(answer: &str) -> String {
    let exhausted = answer.contains("emory") && answer.contains("bytes exhausted");
    if exhausted { OUT_OF_MEMORY } else { answer }.to_owned()
}

/// What that PHP answers to each of these calls.
fn answers(php: impl Fn(&str, &str) -> Command, calls: &[&str]) -> Vec<String> {
    let list = serde_json::to_string(calls).expect("strings are JSON");
    let code = format!("const CALLS = {};{LARGE}{RUN}", list.replace('$', "\\$"));
    let mut answers = Vec::new();
    while answers.len() < calls.len() {
        let output = output(&mut php(&code, &answers.len().to_string()));
        let told = stdout(&output);
        // Some builds of PHP say that memory is exhausted on standard error only.
        let said = if told.is_empty() {
            stderr(&output)
        } else {
            told
        };
        let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        assert!(!lines.is_empty(), "{}", calls[answers.len()]);
        answers.extend(lines.into_iter().map(plain));
    }
    answers
}

const SETTINGS: &[&str] = &[
    "-d",
    "memory_limit=64M",
    "-d",
    "display_errors=0",
    "-d",
    "log_errors=0",
    "-d",
    "date.timezone=UTC",
];

fn ours(calls: &[&str]) -> Vec<String> {
    let arguments = |code: &str, from: &str| -> Vec<String> {
        let rest = ["-r", code, "--", from];
        SETTINGS
            .iter()
            .chain(&rest)
            .map(|&word| word.to_owned())
            .collect()
    };
    answers(
        |code, from| {
            let arguments = arguments(code, from);
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            php::command_with(&["--tmp-dir", "/tmp=8G"], &words)
        },
        calls,
    )
}

fn natives(calls: &[&str]) -> Vec<String> {
    answers(
        |code, from| {
            let mut native = Command::new(program("php", "php-cli"));
            native.args(SETTINGS).args(["-r", code, "--", from]);
            native
        },
        calls,
    )
}

fn compare(calls: &[&str], ours: &[String], wanted: &[String]) {
    let different: Vec<String> = calls
        .iter()
        .zip(ours.iter().zip(wanted))
        .filter(|(_, (ours, wanted))| ours != wanted)
        .map(|(call, (ours, wanted))| format!("{call}\n  native: {wanted}\n  ours:   {ours}"))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn numbers_above_four_billion_mean_what_they_mean_natively() {
    compare(CALLS, &ours(CALLS), &natives(CALLS));
}

#[test]
fn extensions_that_native_php_may_lack_do_not_cut_them_either() {
    let calls: Vec<&str> = MORE_CALLS.iter().map(|&(call, _)| call).collect();
    let wanted: Vec<String> = MORE_CALLS
        .iter()
        .map(|&(_, answer)| answer.to_owned())
        .collect();
    compare(&calls, &ours(&calls), &wanted);
}
