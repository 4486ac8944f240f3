//! Our own PHP: what a script changes is gone with it, and what belongs to one run works within it.

use mod_wasm_tests::php;

/// Tells what it finds, then changes all of it.
const CHANGES: &str = "<?php echo json_encode([ini_get('precision'), getcwd(), umask(), setlocale(LC_ALL, 0), mb_internal_encoding(), get_include_path(), error_get_last(), spl_autoload_functions(),
        get_included_files(), stream_context_get_options(stream_context_get_default()), date_default_timezone_get(), class_exists('Left'), $left ?? null, getenv('LEFT'), $_ENV['LEFT'] ?? null, glob('/tmp/*')]);
    ini_set('precision', 3); chdir('/data'); umask(077); setlocale(LC_ALL, 'C'); mb_internal_encoding('ISO-8859-1'); set_include_path('/data'); spl_autoload_register(fn () => null);
    stream_context_set_default(['http' => ['method' => 'PUT']]); date_default_timezone_set('Asia/Tokyo'); eval('class Left {}'); $left = 1; putenv('LEFT=1'); $_ENV['LEFT'] = 1;
    touch('/tmp/left'); @$undefined['x'];";

#[test]
fn nothing_that_a_script_changes_is_left_for_the_next() {
    for preinit in ["On", "Off"] {
        let server = php::serve(
            &[("changes.php", CHANGES)],
            &format!("WasmPreinit {preinit}"),
        );
        let first = server.get("/changes.php").expect(200).text();
        assert!(first.starts_with(r#"["14","\/app",18,"#), "{first}");
        assert!(
            first.ends_with(r#"[],"UTC",false,null,false,null,[]]"#),
            "{first}"
        );
        for _ in 0..3 {
            assert_eq!(
                server.get("/changes.php").expect(200).text(),
                first,
                "{preinit}"
            );
        }
    }
}

#[test]
fn time_is_that_of_the_request() {
    let code = "<?php $now = microtime(true); $clock = hrtime(true); usleep(2000); echo json_encode([$_SERVER['REQUEST_TIME_FLOAT'] <= $now, $_SERVER['REQUEST_TIME_FLOAT'] > $_GET['t'] - 0.001, hrtime(true) > $clock, microtime(true) > $now]);";
    let server = php::serve(&[("time.php", code)], "WasmPreinit On");
    for _ in 0..3 {
        let now = std::time::SystemTime::now();
        let now = now
            .duration_since(std::time::UNIX_EPOCH)
            .expect("it is after 1970");
        let answer = server.get(&format!("/time.php?t={:.6}", now.as_secs_f64()));
        assert_eq!(answer.expect(200).text(), "[true,true,true,true]");
    }
}

#[test]
fn what_is_secret_or_random_differs_from_request_to_request() {
    let code = "<?php session_save_path('/tmp'); session_start(); echo json_encode([session_id(), password_hash('x', PASSWORD_BCRYPT, ['cost' => 4]), @lcg_value(), mt_rand(), array_rand(range(0, 1 << 16)),
        str_shuffle('abcdefghijklmnopqrstuvwxyz'), tempnam('/tmp', 'a'), (new Random\\Randomizer)->getInt(0, PHP_INT_MAX), bin2hex(random_bytes(8)), uniqid()]);";
    let server = php::serve(&[("random.php", code)], "WasmPreinit On");
    let answers: Vec<Vec<String>> = (0..4)
        .map(|_| {
            let text = server.get("/random.php").expect(200).text();
            text.split(',').map(str::to_owned).collect()
        })
        .collect();
    for (number, first) in answers[0].iter().enumerate() {
        assert!(
            answers[1..].iter().any(|answer| answer[number] != *first),
            "{number}: {first}"
        );
        assert!(answers[0].len() == 10, "{:?}", answers[0]);
    }
}

/// A table of libxml2 is walked in the order of its hashes, and those depend on its seed.
#[test]
fn tables_of_libxml2_are_hashed_anew_in_each_request() {
    let code = "<?php $names = implode(array_map(fn ($n) => \"<!NOTATION n$n SYSTEM 'x'>\", range(1, 40))); $document = new DOMDocument;
        $document->loadXML(\"<!DOCTYPE a [$names]><a/>\"); foreach ($document->doctype->notations as $notation) echo $notation->nodeName, ' ';";
    let server = php::serve(&[("order.php", code)], "WasmPreinit On");
    let orders: Vec<String> = (0..4)
        .map(|_| server.get("/order.php").expect(200).text())
        .collect();
    assert_eq!(orders[0].split_whitespace().count(), 40, "{}", orders[0]);
    assert!(
        orders[1..].iter().any(|order| *order != orders[0]),
        "{orders:?}"
    );
}

#[test]
fn opcache_keeps_scripts_within_a_run_and_not_beyond() {
    let code = "<?php touch('/tmp/part.php', time() - 100); file_put_contents('/tmp/part.php', '<?php return 5;'); touch('/tmp/part.php', time() - 100); $f = '/tmp/part.php';
        echo json_encode([opcache_get_status()['opcache_enabled'], opcache_get_status()['opcache_statistics']['num_cached_scripts'], opcache_is_script_cached($f), opcache_compile_file($f), opcache_is_script_cached($f), include $f, include $f,
        opcache_get_status()['opcache_statistics']['hits'], opcache_invalidate($f, true), opcache_is_script_cached($f)]);";
    let server = php::serve_with_ini("opcache.enable = 1", &[("cache.php", code)], "");
    for _ in 0..2 {
        let answer = server.get("/cache.php").expect(200).text();
        let own = if answer.starts_with("[true,1,") { 1 } else { 0 };
        assert_eq!(
            answer,
            format!("[true,{own},false,true,true,5,5,2,true,false]")
        );
    }
}

#[test]
fn fibers_nest_and_end_in_every_way() {
    let code = "<?php ini_set('memory_limit', '400M'); $f = new Fiber(function () { $g = new Fiber(fn () => 5); $g->start(); return $g->getReturn() + 1; }); $f->start(); echo $f->getReturn(), ' ';
        $f = new Fiber(function () { $g = new Fiber(fn () => throw new LogicException('in')); try { $g->start(); } catch (LogicException $e) { return 'caught ' . $e->getMessage(); } }); $f->start(); echo $f->getReturn(), ' ';
        foreach (['start', 'resume'] as $call) try { $f->$call(); } catch (FiberError $e) { echo get_class($e), ' '; }
        for ($i = $sum = 0; $i < 5000; $i++) { $f = new Fiber(fn () => $i); $f->start(); $sum += $f->getReturn(); } echo $sum, ' ';
        $deep = fn ($deep) => (new Fiber(fn () => $deep($deep)))->start(); try { $deep($deep); } catch (Error $e) { echo strtok($e->getMessage(), '0123456789'); }
        register_shutdown_function(fn () => print('end')); (new Fiber(fn () => exit('exit ')))->start();";
    let server = php::serve(&[("fibers.php", code)], "WasmMemoryLimit 512M");
    assert_eq!(
        server.get("/fibers.php").expect(200).text(),
        "6 caught in FiberError FiberError 12497500 Maximum call stack size of exit end"
    );
}
