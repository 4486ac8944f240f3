/* Reading folders: what is told, in which order it can be asked again, and what happens while entries come and go. */
#include "files_table.h"

#include <dirent.h>

enum { MANY = 50000 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *type(int number)
{
    return number == DT_DIR ? "folder" : number == DT_REG ? "file" : number == DT_LNK ? "link" : "special";
}

/* All entries, sorted: a file system may have any order. */
static void list(const char *what, DIR *folder)
{
    char *names[100];
    size_t count = 0;
    struct dirent *entry;
    printf("%s ->", what);
    errno = 0;
    while (folder && count < 100 && (entry = readdir(folder))) {
        char line[300];
        snprintf(line, sizeof line, " %s(%s)", entry->d_name, type(entry->d_type));
        names[count++] = strdup(line);
    }
    if (errno)
        printf(" %s", error_name(errno));
    else if (count == 0)
        printf(" nothing");
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        printf("%s", names[i]);
        free(names[i]);
    }
    puts("");
}

#define LIST(folder) list("list " #folder, folder)

static DIR *open_folder(const char *what, DIR *folder)
{
    printf("%s -> %s\n", what, folder ? "opened" : error_name(errno));
    return folder;
}

#define OPENDIR(folder, call) ((folder) = open_folder(#call, (call)))

static void small(void)
{
    DIR *folder;
    OPENDIR(folder, opendir("missing"));
    OPENDIR(folder, opendir("file"));
    OPENDIR(folder, opendir("file/"));
    OPENDIR(folder, opendir("d/"));
    LIST(folder);
    LIST(folder);
    rewinddir(folder);
    LIST(folder);
    make_file("d/one", "");
    make_folder("d/two");
    LIST(folder);
    rewinddir(folder);
    LIST(folder);
    TRY(closedir(folder));
    OPENDIR(folder, opendir("links"));
    LIST(folder);
    TRY(closedir(folder));
    OPENDIR(folder, opendir("."));
    LIST(folder);
    TRY(unlink("d/one"));
    TRY(rmdir("d/two"));
    TRY(closedir(folder));
    OPENDIR(folder, opendir("d"));
    TRY(rmdir("d"));
    LIST(folder);
    rewinddir(folder);
    LIST(folder);
    TRY(closedir(folder));
}

static void by_descriptor(void)
{
    DIR *folder;
    int fd;
    make_folder("d");
    make_file("d/one", "");
    OPEN(fd, open("d", O_RDONLY | O_DIRECTORY));
    OPENDIR(folder, fdopendir(fd));
    LIST(folder);
    TRY(dirfd(folder) == fd);
    OPENS(openat(dirfd(folder), "one", O_RDONLY));
    make_file("d/two", "");
    rewinddir(folder);
    LIST(folder);
    TRY(closedir(folder));
    TRY(close(fd));
    OPEN(fd, open("d/one", O_RDONLY));
    OPENDIR(folder, fdopendir(fd));
    TRY(close(fd));
    OPENDIR(folder, fdopendir(fd));
    OPEN(fd, open("d", O_RDONLY));
    OPENDIR(folder, fdopendir(fd));
    LIST(folder);
    TRY(closedir(folder));
}

static void scanning(void)
{
    struct dirent **entries;
    int count = scandir("d", &entries, NULL, alphasort);
    TRY(count);
    for (int i = 0; i < count; i++) {
        printf("scandir %d -> %s\n", i, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    TRY(scandir("missing", &entries, NULL, alphasort));
    TRY(scandir("d/one", &entries, NULL, alphasort));
}

static char seen[MANY];

/* Reads to the end; how often each of the many was seen is counted. Returns how many entries came. */
static int read_all(DIR *folder)
{
    struct dirent *entry;
    int count = 0;
    errno = 0;
    while ((entry = readdir(folder))) {
        count++;
        if (entry->d_name[0] != '.')
            seen[atoi(entry->d_name)]++;
    }
    return errno ? -1 : count;
}

static int seen_times(int times)
{
    int count = 0;
    for (int i = 0; i < MANY; i++)
        count += seen[i] == times;
    return count;
}

static void make_many(void)
{
    char path[32];
    make_folder("many");
    make_file("first", "");
    /* Names of one file: quicker to make than files. A file may have 65,000 on ext4. */
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "many/%d", i);
        need(link("first", path) == 0, path);
    }
}

static void large(void)
{
    DIR *folder;
    SEE("first");
    OPENDIR(folder, opendir("many"));
    TRY(read_all(folder));
    TRY(seen_times(1));
    rewinddir(folder);
    TRY(read_all(folder));
    TRY(seen_times(2));
    TRY(read_all(folder));
    TRY(closedir(folder));
}

/* Places in a folder that were asked for can be gone back to. */
static void positions(void)
{
    DIR *folder;
    char names[20][256];
    long places[20];
    int same = 0;
    OPENDIR(folder, opendir("many"));
    for (int i = 0; i < 20; i++) {
        for (int skip = 0; skip < 1000; skip++)
            need(readdir(folder) != NULL, "an entry");
        places[i] = telldir(folder);
        struct dirent *entry = readdir(folder);
        need(entry != NULL, "an entry");
        strcpy(names[i], entry->d_name);
    }
    for (int i = 19; i >= 0; i--) {
        seekdir(folder, places[i]);
        struct dirent *entry = readdir(folder);
        same += entry && !strcmp(entry->d_name, names[i]);
    }
    printf("entries found again by telldir and seekdir -> %d\n", same);
    TRY(closedir(folder));
}

static int remove_entry(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "many/%s", name);
    return unlink(path);
}

static int is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

/* The clean-up loop of many programs. */
static int clean_up(DIR *folder)
{
    struct dirent *entry;
    int removed = 0;
    while ((entry = readdir(folder)))
        if (!is_dots(entry->d_name))
            removed += remove_entry(entry->d_name) == 0;
    return removed;
}

static void changing(void)
{
    DIR *folder;
    struct dirent *entry;
    int gone = 0;
    memset(seen, 0, sizeof seen);
    OPENDIR(folder, opendir("many"));
    /* Half of the entries vanish by others' hands while one reads; the rest is told once each. */
    for (int i = 0; i < 10; i++)
        if ((entry = readdir(folder)) && !is_dots(entry->d_name))
            seen[atoi(entry->d_name)]++;
    for (int i = 0; i < MANY; i += 2) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        gone += remove_entry(name) == 0;
    }
    printf("removed while reading -> %d\n", gone);
    read_all(folder);
    int once = 0;
    for (int i = 1; i < MANY; i += 2)
        once += seen[i] == 1;
    printf("others told once -> %d\n", once);
    rewinddir(folder);
    TRY(read_all(folder));
    rewinddir(folder);
    TRY(clean_up(folder));
    TRY(closedir(folder));
    OPENDIR(folder, opendir("many"));
    LIST(folder);
    TRY(closedir(folder));
    TRY(rmdir("many"));
    SEE("first");
}

/* Names of every length that a buffer may end in. */
static void long_names(void)
{
    char path[300];
    DIR *folder;
    int count = 0, bytes = 0;
    struct dirent *entry;
    make_folder("lengths");
    for (int length = 1; length <= 255; length++) {
        snprintf(path, sizeof path, "lengths/%0*d", length, 0);
        int fd = open(path, O_WRONLY | O_CREAT, 0666);
        need(fd >= 0, "a name");
        close(fd);
    }
    OPENDIR(folder, opendir("lengths"));
    while ((entry = readdir(folder))) {
        count++;
        bytes += (int)strlen(entry->d_name);
    }
    printf("entries and letters of long names -> %d, %d\n", count, bytes);
    TRY(closedir(folder));
}

int main(void)
{
    make_folder("d");
    make_file("file", "text");
    small();
    by_descriptor();
    scanning();
    make_many();
    large();
    positions();
    changing();
    long_names();
    return 0;
}
