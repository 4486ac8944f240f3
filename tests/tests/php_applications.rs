//! `docs/php-applications.md`, followed as a reader would; then a visitor edits the wiki that was put up.

use mod_wasm_tests::Walkthrough;

/// Logs in, saves a page, uploads a picture, and looks at both and at what search finds.
const VISIT: &str = r#"
wiki=http://127.0.0.1:8081/dokuwiki
ask() { curl -sS -b visitor -c visitor "$@"; }
token() { grep -o 'name="sectok" value="[^"]*"' | head -n 1 | cut -d '"' -f 4; }
echo 'A page about **sandboxes**.' > page
sectok=$(ask "$wiki/start?do=login" | token)
ask -o /dev/null -w '%{http_code} ' -d "sectok=$sectok&id=start&do=login&u=admin&p=secret" $wiki/doku.php
sectok=$(ask "$wiki/wiki/first?do=edit" | token)
ask -o /dev/null -w '%{http_code} ' --data-urlencode wikitext@page --data-urlencode prefix=. \
    -d "sectok=$sectok&id=wiki:first&rev=0&date=&suffix=&do[save]=Save" $wiki/doku.php
ask -F "sectok=$sectok" -F ns=wiki -F qqfile=@dot.png -F call=mediaupload -F mediaid=dot.png $wiki/lib/exe/ajax.php | grep -o '"success":true'
ask "$wiki/lib/exe/taskrunner.php?id=wiki:first" > /dev/null
curl -sS $wiki/wiki/first | grep -o '<strong>sandboxes</strong>'
curl -sS -o got.png -w '%{http_code} %{content_type}\n' $wiki/_media/wiki/dot.png
cmp got.png dot.png
curl -sS "$wiki/start?do=search&q=sandboxes" | grep -o '<strong class="search_hit">sandboxes</strong>' | head -n 1
curl -sS -o /dev/null -w '%{http_code}\n' $wiki/lib/tpl/dokuwiki/images/logo.png
curl -sS -o /dev/null -w '%{http_code}\n' "$wiki/lib/exe/js.php?t=dokuwiki"
curl -sS -o /dev/null -w '%{http_code}\n' $wiki/inc/init.php
"#;

const SEEN: &str = r#"302 302 "success":true
<strong>sandboxes</strong>
200 image/png
<strong class="search_hit">sandboxes</strong>
200
200
403
"#;

#[test]
fn the_page_works_as_written_and_the_wiki_is_one() {
    let reader = Walkthrough::of(
        "docs/php-applications.md",
        "/srv/php",
        &[("curl", "curl"), ("apache2", "apache2-bin")],
    );
    assert_eq!(reader.fetched(), ["dokuwiki-2022-07-31a"]);
    let followed = reader.follow();
    assert!(
        followed.ran >= 8 && followed.compared >= 6,
        "{} blocks ran, {} were compared",
        followed.ran,
        followed.compared
    );
    assert_eq!(reader.run(VISIT), SEEN);
    // The page says the first; the second is the page that is denied; the third is httpd's own, of a connection while it stops.
    let expected = ["chmod(): Not supported", "AH01630", "AH03093"];
    assert_eq!(reader.complaints(&expected), Vec::<String>::new());
}
