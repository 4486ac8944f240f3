/* Names are bytes: each byte by itself, and sequences that are no UTF-8. */
#include "files_table.h"

#include <dirent.h>

/* Whether a folder tells of a name. */
static int listed(const char *name)
{
    DIR *folder = opendir(".");
    struct dirent *entry;
    int found = 0;
    need(folder != NULL, "a listing");
    while ((entry = readdir(folder)))
        found += !strcmp(entry->d_name, name);
    closedir(folder);
    return found;
}

static void step(const char *verb, int result)
{
    printf(" %s %s", verb, result < 0 ? error_name(errno) : "yes");
}

/* A file of this name through its whole life. */
static void live(const char *name)
{
    struct stat status;
    char other[300];
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
    printf("name ");
    print_bytes(name, strlen(name));
    printf(" ->");
    step("made", fd);
    close(fd);
    step("seen", stat(name, &status));
    printf(" listed %d", listed(name));
    snprintf(other, sizeof other, "%s-", name);
    step("renamed", rename(name, other));
    step("linked", link(other, name));
    step("removed", unlink(name));
    step("removed", unlink(other));
    step("folder", mkdir(name, 0777));
    snprintf(other, sizeof other, "%s/inner", name);
    step("inner", fd = open(other, O_WRONLY | O_CREAT, 0666));
    close(fd);
    step("removed", unlink(other));
    step("removed", rmdir(name));
    puts("");
}

static void every_byte(void)
{
    for (int byte = 1; byte < 256; byte++) {
        char name[] = {(char)byte, 0};
        if (byte != '/' && byte != '.')
            live(name);
    }
}

static void sequences(void)
{
    static const char *const names[] = {
        "a b", " ", "  x  ", "...", "..x", ".x", "x.", "x..", "-rf", "*", "?", "a\\b", "C:", "~", "a\nb", "con", "nul",
        "\x80\x80", "\xc3", "\xc3(", "\xa0\xa1", "\xe2\x82", "\xe2(\xa1", "\xf0\x90\x8c", "\xf0(\x8c\xbc",
        "\xc0\xaf", "\xe0\x80\xaf", "\xc0\xae\xc0\xae", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xff\xfe", "\xfe\xff", "\xef\xbb\xbf" "bom", "caf\xe9", "caf\xc3\xa9", "cafe\xcc\x81", "\xe2\x80\xae" "rtl",
        "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\xe2\x80\x8b",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        live(names[i]);
}

/* Names that differ in a way that some systems do not see are two files. */
static void alike(void)
{
    make_file("Name", "upper");
    make_file("name", "lower");
    HOLDS("Name");
    HOLDS("name");
    make_file("caf\xc3\xa9", "composed");
    make_file("cafe\xcc\x81", "decomposed");
    HOLDS("caf\xc3\xa9");
    HOLDS("cafe\xcc\x81");
    make_file("\xff", "one");
    make_file("\xfe", "two");
    HOLDS("\xff");
    HOLDS("\xfe");
    HOLDS("\xef\xbf\xbd");
}

int main(void)
{
    every_byte();
    sequences();
    alike();
    return 0;
}
