/* What is done by paths: making, removing and renaming; slashes, dots, empty and long paths. */
#include "files_table.h"

#include <limits.h>

static int top;

static void making(void)
{
    TRY(mkdir("d", 0777));
    SEE("d");
    TRY(mkdir("d", 0777));
    TRY(mkdir("d/", 0777));
    TRY(mkdir("d/e/", 0777));
    TRY(mkdir("d/f//", 0777));
    SEE("d");
    TRY(mkdir("d/.", 0777));
    TRY(mkdir("d/..", 0777));
    TRY(mkdir("d/./g", 0777));
    TRY(mkdir("d/g/../h", 0777));
    TRY(mkdir("d/new/.", 0777));
    TRY(mkdir("d/missing/g", 0777));
    make_file("file", "text");
    TRY(mkdir("file", 0777));
    TRY(mkdir("file/", 0777));
    TRY(mkdir("file/d", 0777));
    TRY(mkdir(".", 0777));
    SEE("d");
}

static void removing(void)
{
    TRY(rmdir("d"));
    TRY(rmdir("d/e"));
    TRY(rmdir("d/f/"));
    TRY(rmdir("d/g//"));
    TRY(rmdir("d/h/."));
    TRY(rmdir("d/h/.."));
    TRY(rmdir("d/./h"));
    TRY(rmdir("d/missing"));
    TRY(rmdir("missing/"));
    TRY(rmdir("file"));
    TRY(rmdir("file/"));
    TRY(rmdir("file/d"));
    TRY(rmdir("d/."));
    SEE("d");
    TRY(rmdir("d"));
    SEE("d");
    make_folder("d");
    TRY(unlink("d"));
    TRY(unlink("d/"));
    TRY(unlink("d/."));
    TRY(unlink("d/.."));
    TRY(unlink("missing"));
    TRY(unlink("missing/"));
    TRY(unlink("file/"));
    TRY(unlink("file/x"));
    TRY(unlink("file/."));
    TRY(unlink("d/../file"));
    SEE("file");
    make_file("file", "text");
    TRY(unlinkat(top, "file", AT_REMOVEDIR));
    TRY(unlinkat(top, "d", 0));
    TRY(unlinkat(top, "d", AT_REMOVEDIR));
    TRY(unlinkat(top, "file", 0));
    make_folder("d");
    make_file("file", "text");
    TRY(remove("d"));
    TRY(remove("file"));
    TRY(remove("missing"));
}

static void renaming_files(void)
{
    make_file("a", "a");
    make_file("b", "b");
    make_folder("d");
    make_folder("full");
    make_file("full/x", "x");
    TRY(rename("missing", "new"));
    TRY(rename("missing", "a"));
    TRY(rename("a", "a"));
    TRY(rename("a", "c"));
    SEE("a");
    TRY(rename("c", "b"));
    HOLDS("b");
    TRY(rename("b", "d"));
    TRY(rename("b", "full"));
    TRY(rename("b", "d/b"));
    TRY(rename("d/b", "missing/b"));
    TRY(rename("d/b", "full/x/b"));
    TRY(rename("d/b/", "b"));
    TRY(rename("d/b", "b/"));
    TRY(rename("d/b", "d/"));
    TRY(rename("d/b", "."));
    TRY(rename("d/b", "d/."));
    TRY(rename("d/b", "d/.."));
    TRY(rename("d/b", "d/../b"));
    HOLDS("b");
    TRY(renameat(top, "b", top, ""));
    TRY(renameat(top, "", top, "b"));
    TRY(renameat(top, "b", top, "c"));
    TRY(renameat(top, "c", -1, "b"));
    TRY(renameat(-1, "c", top, "b"));
}

static void renaming_folders(void)
{
    TRY(rename("d", "e"));
    SEE("d");
    TRY(rename("e/", "d/"));
    TRY(rename("d", "e/"));
    TRY(rename("e//", "d"));
    TRY(rename("d", "c"));
    TRY(rename("d", "c/"));
    TRY(rename("d", "full"));
    TRY(rename("full", "d"));
    SEE("full");
    SEE("d/x");
    TRY(rename("d", "d"));
    TRY(rename("d", "d/inside"));
    TRY(rename("d/.", "e"));
    TRY(rename("d/..", "e"));
    TRY(rename(".", "e"));
    TRY(rename("d", "missing/e"));
    TRY(rename("d", "c/e"));
    make_folder("e");
    TRY(rename("e", "d/e"));
    SEE("d");
    TRY(rename("d", "d/e/d"));
    TRY(rename("d/e", "d"));
    TRY(rename("d/x", "d/e"));
    TRY(rename("d/e", "d/x"));
    TRY(rename("d/e/", "d/x/"));
}

/* A path means what lies there now, whatever was there a moment ago. */
static void replaced_folders(void)
{
    struct stat status;
    int fd;
    make_folder("r");
    make_folder("r/s");
    make_file("r/s/old", "old");
    HOLDS("r/s/old");
    TRY(rename("r", "was"));
    HOLDS("r/s/old");
    HOLDS("was/s/old");
    make_folder("r");
    HOLDS("r/s/old");
    make_folder("r/s");
    HOLDS("r/s/old");
    make_file("r/s/new", "new");
    HOLDS("r/s/new");
    HOLDS("was/s/new");
    TRY(rename("was/s", "r/s"));
    TRY(unlink("r/s/new"));
    TRY(rename("was/s", "r/s"));
    HOLDS("r/s/old");
    HOLDS("was/s/old");
    TRY(unlink("r/s/old"));
    TRY(rmdir("r/s"));
    OPENS(open("r/s/again", O_WRONLY | O_CREAT, 0666));
    TRY(mkdir("r/s/again", 0777));
    make_folder("r/s");
    OPENS(open("r/s/again", O_WRONLY | O_CREAT, 0666));
    SEE("r/s/again");
    TRY(unlink("r/s/again"));
    OPEN(fd, open("r/s", O_RDONLY | O_DIRECTORY));
    OPENS(openat(fd, "by-descriptor", O_WRONLY | O_CREAT, 0666));
    TRY(rename("r", "r2"));
    OPENS(openat(fd, "after-rename", O_WRONLY | O_CREAT, 0666));
    SEE("r2/s/after-rename");
    TRY(unlinkat(fd, "after-rename", 0));
    TRY(unlinkat(fd, "by-descriptor", 0));
    TRY(rmdir("r2/s"));
    tell_status("fstat of a removed folder", fstat(fd, &status), &status);
    OPENS(openat(fd, "in-removed", O_WRONLY | O_CREAT, 0666));
    TRY(mkdirat(fd, "in-removed", 0777));
    OPENS(openat(fd, ".", O_RDONLY));
    TRY(fstatat(fd, "missing", &status, 0));
    close(fd);
}

static void empty_paths(void)
{
    char target[8];
    struct stat status;
    int fd;
    OPEN(fd, open("d", O_RDONLY));
    OPENS(openat(top, "", O_RDONLY));
    OPENS(openat(top, "", O_WRONLY | O_CREAT, 0666));
    TRY(mkdirat(top, "", 0777));
    TRY(unlinkat(top, "", 0));
    TRY(unlinkat(top, "", AT_REMOVEDIR));
    TRY(fstatat(top, "", &status, 0));
    TRY(fstatat(top, "", &status, AT_SYMLINK_NOFOLLOW));
    TRY(linkat(top, "", top, "new", 0));
    TRY(linkat(top, "c", top, "", 0));
    TRY(renameat(top, "c", fd, ""));
    TRY(readlinkat(top, "", target, sizeof target));
    TRY(utimensat(top, "", NULL, 0));
    TRY(faccessat(top, "", F_OK, 0));
    OPENS(openat(top, "/", O_RDONLY | O_WRONLY | O_CREAT, 0666));
    close(fd);
}

/* "./././name", so many bytes long. */
static const char *dotted(size_t length, const char *name)
{
    static char path[3 * PATH_MAX];
    size_t dots = length - strlen(name);
    for (size_t i = 0; i < dots; i++)
        path[i] = "./"[i % 2];
    if (dots % 2)
        path[dots - 1] = '/';
    strcpy(path + dots, name);
    return path;
}

static const char *of_letters(size_t length)
{
    static char name[2 * PATH_MAX];
    memset(name, 'n', length);
    name[length] = 0;
    return name;
}

static void long_paths(void)
{
    struct stat status;
    const size_t lengths[] = {100, 4094, 4095, 4096, 4097, 8000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char what[64];
        snprintf(what, sizeof what, "path of %d bytes", (int)lengths[i]);
        /* By a descriptor: a C library may strip what begins a path before it asks the host. */
        tell_status(what, fstatat(top, dotted(lengths[i], "c"), &status, 0), &status);
        snprintf(what, sizeof what, "opened by %d bytes", (int)lengths[i]);
        close(tell_opened(what, openat(top, dotted(lengths[i], "c"), O_RDONLY)));
        snprintf(what, sizeof what, "made by %d bytes", (int)lengths[i]);
        tell(what, mkdirat(top, dotted(lengths[i], "long"), 0777));
        snprintf(what, sizeof what, "removed by %d bytes", (int)lengths[i]);
        tell(what, unlinkat(top, dotted(lengths[i], "long"), AT_REMOVEDIR));
        snprintf(what, sizeof what, "renamed by %d bytes", (int)lengths[i]);
        tell(what, renameat(top, dotted(lengths[i], "c"), top, "c"));
        snprintf(what, sizeof what, "missing folder in %d bytes", (int)lengths[i]);
        tell(what, mkdirat(top, dotted(lengths[i], "missing/x"), 0777));
    }
}

static void long_names(void)
{
    const size_t lengths[] = {254, 255, 256, 300, 4095, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char what[64];
        snprintf(what, sizeof what, "name of %d letters", (int)lengths[i]);
        close(tell_opened(what, openat(top, of_letters(lengths[i]), O_WRONLY | O_CREAT, 0666)));
        snprintf(what, sizeof what, "see the name of %d letters", (int)lengths[i]);
        see(what, of_letters(lengths[i]));
        snprintf(what, sizeof what, "rename to %d letters", (int)lengths[i]);
        tell(what, renameat(top, "c", top, of_letters(lengths[i])));
        snprintf(what, sizeof what, "rename from %d letters", (int)lengths[i]);
        tell(what, renameat(top, of_letters(lengths[i]), top, "c"));
        snprintf(what, sizeof what, "make %d letters", (int)lengths[i]);
        tell(what, mkdirat(top, of_letters(lengths[i]), 0777));
        snprintf(what, sizeof what, "remove %d letters", (int)lengths[i]);
        tell(what, unlinkat(top, of_letters(lengths[i]), AT_REMOVEDIR));
    }
}

/* Deeper than one path can say: each folder is made by the one above. */
static void deep_folders(void)
{
    int folder = open(".", O_RDONLY | O_DIRECTORY), depth = 0;
    for (; depth < 60; depth++) {
        if (mkdirat(folder, of_letters(100), 0777) < 0)
            break;
        int next = openat(folder, of_letters(100), O_RDONLY | O_DIRECTORY);
        if (next < 0)
            break;
        close(folder);
        folder = next;
    }
    printf("folders of 100 letters in one another -> %d\n", depth);
    OPENS(openat(folder, "at the bottom", O_WRONLY | O_CREAT, 0666));
    for (depth = 0; depth < 60; depth++) {
        int above = openat(folder, "..", O_RDONLY | O_DIRECTORY);
        if (above < 0)
            break;
        close(folder);
        folder = above;
    }
    printf("folders up again -> %d%s%s\n", depth, depth < 60 ? ", then " : "", depth < 60 ? error_name(errno) : "");
    close(folder);
}

int main(void)
{
    top = open(".", O_RDONLY | O_DIRECTORY);
    need(top >= 0, "the working directory");
    making();
    removing();
    renaming_files();
    renaming_folders();
    replaced_folders();
    empty_paths();
    long_paths();
    long_names();
    deep_folders();
    return 0;
}
