/*
 * Links of both kinds. Those in the folders "links" and "chains" were made by the test, on the host. They lead to things in the
 * folder "target" beside them. Others are made here.
 */
#include "files_table.h"

static int top;
static char buffer[256];

#define READLINK(path) tell_bytes("readlink " path, buffer, readlink(path, buffer, sizeof buffer))
#define READ(call) tell_bytes(#call, buffer, (call))

/* Through a link: what stat, open and readlink say. */
static void through(const char *link)
{
    char what[128];
    struct stat status;
    snprintf(what, sizeof what, "lstat %s", link);
    see(what, link);
    snprintf(what, sizeof what, "stat %s", link);
    tell_status(what, stat(link, &status), &status);
    snprintf(what, sizeof what, "open %s", link);
    close(tell_opened(what, open(link, O_RDONLY)));
    snprintf(what, sizeof what, "open without following %s", link);
    close(tell_opened(what, open(link, O_RDONLY | O_NOFOLLOW)));
    snprintf(what, sizeof what, "contents of %s", link);
    holds(what, link);
}

static void made_by_the_test(void)
{
    static const char *const links[] = {
        "links/to-file", "links/to-folder", "links/to-folder/", "links/to-folder/inner", "links/to-folder/../file",
        "links/chain", "links/dangling", "links/dangling/", "links/loop", "links/loop/x", "links/to-file/",
        "links/to-file/x", "links/dots", "links/slash", "links/file-slash", "links/here", "links/bytes",
        "chains/short-to-file", "chains/long-to-file", "chains/short-to-folder/file", "chains/long-to-folder/file",
        "chains/short-to-folder/folder/inner", "links/up/links/to-file",
        "links/absolute-file", "links/absolute-folder", "links/absolute-folder/inner", "links/absolute-chain",
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        through(links[i]);
}

/* What leads out of the working directory, or begins at the root, which is the working directory in the sandbox. */
static void leading_out(void)
{
    static const char *const links[] = {
        "links/etc", "links/etc/passwd", "links/passwd", "links/root/target/file", "links/above", "links/above/sibling",
        "links/proc-self", "links/proc-self/root/etc/passwd", "links/out-and-back", "links/device",
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        through(links[i]);
    READLINK("links/passwd");
    READLINK("links/above");
    OPENS(open("links/above/made", O_WRONLY | O_CREAT, 0666));
    TRY(mkdir("links/above/made-folder", 0777));
    TRY(rename("links/spare", "links/above/moved"));
    TRY(rename("links/above/sibling", "links/taken"));
    TRY(link("target/spare", "links/above/linked"));
    TRY(link("links/above/other", "links/stolen"));
    TRY(symlink("other", "links/above/link"));
    TRY(truncate("links/above/other", 0));
    TRY(utimensat(AT_FDCWD, "links/above/other", NULL, 0));
    TRY(access("links/above/other", F_OK));
    TRY(unlink("links/above/other"));
    TRY(rmdir("links/above/empty"));
    OPENS(openat(top, "..", O_RDONLY));
    OPENS(openat(top, "/", O_RDONLY));
    OPENS(openat(top, "../work", O_RDONLY));
    OPENS(openat(top, "target/../..", O_RDONLY));
    OPENS(openat(top, "target/../../work/target/file", O_RDONLY));
    OPENS(openat(top, "missing/../..", O_RDONLY));
    TRY(mkdirat(top, "../made-folder-too", 0777));
    TRY(mkdirat(top, "..", 0777));
    TRY(unlinkat(top, "..", AT_REMOVEDIR));
    TRY(renameat(top, "..", top, "x"));
    TRY(renameat(top, "target/spare", top, "../spare"));
}

static void changing_through_links(void)
{
    struct stat status;
    OPENS(open("links/to-file", O_WRONLY | O_TRUNC));
    SEE("target/file");
    make_file("links/to-file", "through");
    HOLDS("target/file");
    OPENS(open("links/to-file", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("links/dangling", O_WRONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("links/dangling", O_WRONLY));
    OPENS(open("links/dangling", O_WRONLY | O_CREAT | O_NOFOLLOW, 0666));
    OPENS(open("links/dangling", O_WRONLY | O_CREAT, 0666));
    SEE("target/nothing");
    TRY(unlink("target/nothing"));
    OPENS(open("links/to-file", O_RDONLY | O_DIRECTORY));
    OPENS(open("links/to-folder", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    OPENS(open("links/to-folder/", O_RDONLY | O_NOFOLLOW));
    OPENS(open("links/to-folder", O_WRONLY));
    OPENS(open("links/to-folder/made", O_WRONLY | O_CREAT, 0666));
    SEE("target/folder/made");
    TRY(mkdir("links/to-folder/made-folder", 0777));
    TRY(mkdir("links/to-folder", 0777));
    TRY(mkdir("links/to-folder/", 0777));
    TRY(mkdir("links/dangling", 0777));
    TRY(mkdir("links/dangling/", 0777));
    TRY(rmdir("links/to-folder"));
    TRY(rmdir("links/to-folder/"));
    TRY(rmdir("links/to-folder/made-folder"));
    TRY(unlink("links/to-folder/"));
    TRY(unlink("links/to-file/"));
    TRY(unlink("links/to-folder/made"));
    TRY(access("links/to-file", F_OK));
    TRY(access("links/dangling", F_OK));
    TRY(access("links/loop", F_OK));
    TRY(fstatat(top, "links/dangling", &status, 0));
    TRY(fstatat(top, "links/dangling", &status, AT_SYMLINK_NOFOLLOW));
    TRY(fstatat(top, "links/to-folder/", &status, AT_SYMLINK_NOFOLLOW));
    tell_status("a link with a slash", fstatat(top, "links/to-folder/", &status, AT_SYMLINK_NOFOLLOW), &status);
    TRY(truncate("links/to-file", 3));
    HOLDS("target/file");
    TRY(rename("links/to-file", "links/renamed"));
    HOLDS("links/renamed");
    TRY(rename("links/renamed", "links/to-file"));
    TRY(rename("links/to-folder/", "links/renamed"));
    make_file("plain", "plain");
    TRY(rename("plain", "links/to-folder"));
    HOLDS("links/to-folder");
    SEE("links/to-folder");
    SEE("target/folder");
}

static void reading_links(void)
{
    READLINK("links/chain");
    READLINK("links/dangling");
    READLINK("links/slash");
    READLINK("chains/short-to-file");
    READLINK("target/file");
    READLINK("target");
    READLINK("missing");
    READLINK("links/up/");
    READLINK("links/up/links/dangling");
    READLINK("links/bytes");
    READ(readlink("links/dangling", buffer, 4));
    READ(readlink("links/dangling", buffer, 1));
    READ(readlink("links/loop/x", buffer, sizeof buffer));
    READ(readlinkat(top, "links/loop", buffer, sizeof buffer));
}

static void hard_links(void)
{
    make_file("h1", "text");
    TRY(link("h1", "h2"));
    SEE("h1");
    TRY(link("h1", "h2"));
    TRY(link("h1", "h1"));
    TRY(link("missing", "h3"));
    TRY(link("h1", "missing/h3"));
    TRY(link("target", "h3"));
    TRY(link("h1", "target"));
    TRY(link("h1", "h3/"));
    TRY(link("h1/", "h3"));
    TRY(link("h1", "target/h3"));
    SEE("h1");
    make_file("target/h3", "changed");
    HOLDS("h1");
    TRY(rename("h1", "h2"));
    SEE("h1");
    TRY(unlink("h1"));
    TRY(unlink("target/h3"));
    SEE("h2");
    TRY(link("links/dangling", "h4"));
    SEE("h4");
    READLINK("h4");
    TRY(linkat(top, "links/to-file", top, "h5", 0));
    SEE("h5");
    TRY(linkat(top, "h2", top, "h7", 0));
    TRY(link(".", "h8"));
    TRY(link("h2", "."));
    TRY(link("h2", ".."));
}

static void symbolic_links(void)
{
    char long_target[4100];
    memset(long_target, 't', sizeof long_target);
    long_target[4095] = 0;
    make_folder("s");
    TRY(symlink("target/file", "s1"));
    READLINK("s1");
    SEE("s1");
    HOLDS("s1");
    TRY(symlink("target/file", "s1"));
    TRY(symlink("anything", "h2"));
    TRY(symlink("anything", "missing/s"));
    TRY(symlink("anything", "h2/s"));
    TRY(symlink("anything", "s2/"));
    TRY(symlink("anything", "target"));
    TRY(symlink("anything", "target/"));
    TRY(symlink("", "s3"));
    TRY(symlinkat("anything", top, ""));
    TRY(symlink("../target", "s/up"));
    READ(readlink("s/up", buffer, sizeof buffer));
    SEE("s/up/file");
    TRY(symlink("../../outside", "s/out"));
    OPENS(open("s/out", O_RDONLY));
    TRY(symlink(long_target, "s/long"));
    TRY(unlink("s/long"));
    long_target[4095] = 't';
    long_target[4096] = 0;
    TRY(symlink(long_target, "s/long"));
    TRY(symlink("s", "to-s"));
    OPENS(open("to-s/x", O_WRONLY | O_CREAT, 0666));
    SEE("s/x");
    TRY(unlink("to-s"));
    TRY(symlink("target", "to-s"));
    SEE("to-s/x");
    SEE("to-s/file");
    TRY(unlink("s1"));
    SEE("s1");
}

int main(void)
{
    top = open(".", O_RDONLY | O_DIRECTORY);
    need(top >= 0, "the working directory");
    made_by_the_test();
    leading_out();
    reading_links();
    changing_through_links();
    hard_links();
    symbolic_links();
    return 0;
}
