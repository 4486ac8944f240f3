/*
 * What an ordinary user may not do. The test has made in the folder "denied": files and folders of this user with fewer
 * permissions, what belongs to somebody else, and what is neither file nor folder.
 */
#include "files_table.h"

#include <dirent.h>

#define LIST(path) list("list " path, opendir(path))

static void list(const char *what, DIR *folder)
{
    int count = 0;
    if (!folder) {
        printf("%s -> %s\n", what, error_name(errno));
        return;
    }
    errno = 0;
    while (readdir(folder))
        count++;
    if (errno)
        printf("%s -> %s\n", what, error_name(errno));
    else
        printf("%s -> %d entries\n", what, count);
    closedir(folder);
}

static void files(void)
{
    OPENS(open("denied/none", O_RDONLY));
    OPENS(open("denied/none", O_WRONLY));
    OPENS(open("denied/none", O_WRONLY | O_CREAT, 0666));
    OPENS(open("denied/none", O_WRONLY | O_CREAT | O_EXCL, 0666));
    SEE("denied/none");
    OPENS(open("denied/readable", O_RDONLY));
    OPENS(open("denied/readable", O_WRONLY));
    OPENS(open("denied/readable", O_RDWR));
    OPENS(open("denied/readable", O_RDONLY | O_TRUNC));
    TRY(truncate("denied/readable", 0));
    HOLDS("denied/readable");
    OPENS(open("denied/writable", O_RDONLY));
    OPENS(open("denied/writable", O_RDWR));
    OPENS(open("denied/writable", O_WRONLY | O_APPEND));
    TRY(utimensat(AT_FDCWD, "denied/readable", NULL, 0));
    TRY(link("denied/readable", "linked"));
    TRY(rename("denied/readable", "renamed"));
    TRY(unlink("linked"));
    TRY(unlink("renamed"));
    TRY(unlink("denied/none"));
}

static void folders(void)
{
    /* Neither read nor entered. */
    SEE("denied/closed");
    LIST("denied/closed");
    SEE("denied/closed/file");
    OPENS(open("denied/closed", O_RDONLY));
    OPENS(open("denied/closed/file", O_RDONLY));
    OPENS(open("denied/closed/new", O_WRONLY | O_CREAT, 0666));
    SEE("denied/closed/missing");
    SEE("denied/closed/../none");
    TRY(mkdir("denied/closed/new", 0777));
    TRY(rmdir("denied/closed/folder"));
    TRY(unlink("denied/closed/file"));
    TRY(rename("denied/closed/file", "moved"));
    TRY(rename("moved", "denied/closed/file"));
    TRY(rename("denied/writable", "denied/closed/file"));
    TRY(rmdir("denied/closed"));
    /* Read, not entered. */
    LIST("denied/listable");
    SEE("denied/listable/file");
    OPENS(open("denied/listable/file", O_RDONLY));
    /* Entered, not read. */
    LIST("denied/enterable");
    OPENS(open("denied/enterable", O_RDONLY));
    SEE("denied/enterable/file");
    OPENS(open("denied/enterable/file", O_RDWR));
    SEE("denied/enterable/missing");
    OPENS(open("denied/enterable/new", O_WRONLY | O_CREAT, 0666));
    /* Not written. */
    LIST("denied/fixed");
    OPENS(open("denied/fixed/file", O_RDWR));
    OPENS(open("denied/fixed/file", O_WRONLY | O_CREAT, 0666));
    OPENS(open("denied/fixed/new", O_WRONLY | O_CREAT, 0666));
    OPENS(open("denied/fixed/missing", O_RDONLY));
    TRY(mkdir("denied/fixed/new", 0777));
    TRY(mkdir("denied/fixed/folder", 0777));
    TRY(mkdir("denied/fixed/file", 0777));
    TRY(rmdir("denied/fixed/folder"));
    TRY(unlink("denied/fixed/file"));
    TRY(unlink("denied/fixed/missing"));
    TRY(rename("denied/fixed/file", "denied/fixed/other"));
    TRY(rename("denied/fixed/file", "moved"));
    TRY(rename("denied/writable", "denied/fixed/new"));
    TRY(link("denied/fixed/file", "denied/fixed/other"));
    TRY(symlink("file", "denied/fixed/link"));
    TRY(utimensat(AT_FDCWD, "denied/fixed", NULL, 0));
}

/* Of somebody else, when the test has somebody else. */
static void of_others(void)
{
    OPENS(open("denied/others/public", O_RDONLY));
    OPENS(open("denied/others/public", O_WRONLY));
    OPENS(open("denied/others/public", O_RDONLY | O_TRUNC));
    OPENS(open("denied/others/private", O_RDONLY));
    SEE("denied/others/private");
    TRY(unlink("denied/others/public"));
    TRY(rename("denied/others/public", "denied/others/mine"));
    TRY(rename("denied/writable", "denied/others/public"));
    TRY(rmdir("denied/others/folder"));
    OPENS(open("denied/others/new", O_WRONLY | O_CREAT, 0666));
    TRY(unlink("denied/others/new"));
    TRY(link("denied/others/private", "stolen"));
    TRY(link("denied/others/public", "stolen"));
    TRY(utimensat(AT_FDCWD, "denied/others/public", NULL, 0));
    struct timespec times[] = {{1, 0}, {2, 0}};
    TRY(utimensat(AT_FDCWD, "denied/others/public", times, 0));
}

static void access_rights(void)
{
    TRY(access("denied/none", F_OK));
    TRY(access("denied/none", R_OK));
    TRY(access("denied/fixed/file", R_OK | W_OK));
    TRY(access("denied/fixed", R_OK));
    TRY(access("denied/fixed", W_OK));
    TRY(access("denied/closed", F_OK));
    TRY(access("denied/closed/file", F_OK));
    TRY(access("denied/others/public", R_OK));
    TRY(access("missing", F_OK));
    TRY(access("missing/file", R_OK));
    TRY(access("denied/fixed/file/x", F_OK));
}

static void specials(void)
{
    SEE("denied/fifo");
    SEE("denied/socket");
    OPENS(open("denied/fifo", O_RDONLY | O_NONBLOCK));
    OPENS(open("denied/fifo", O_RDWR | O_NONBLOCK));
    OPENS(open("denied/fifo", O_WRONLY | O_NONBLOCK));
    OPENS(open("denied/fifo", O_RDONLY | O_DIRECTORY));
    OPENS(open("denied/fifo", O_RDONLY | O_CREAT | O_EXCL, 0666));
    OPENS(open("denied/socket", O_RDONLY));
    OPENS(open("denied/socket", O_RDWR | O_NONBLOCK));
    TRY(truncate("denied/fifo", 0));
    TRY(utimensat(AT_FDCWD, "denied/fifo", NULL, 0));
    TRY(link("denied/fifo", "fifo"));
    TRY(rename("fifo", "renamed-fifo"));
    SEE("denied/fifo");
    TRY(unlink("renamed-fifo"));
    TRY(access("denied/fifo", F_OK));
    TRY(rmdir("denied/fifo"));
    TRY(rename("denied/socket", "socket"));
    TRY(unlink("socket"));
    LIST("denied/fifo");
}

int main(void)
{
    files();
    folders();
    of_others();
    access_rights();
    specials();
    return 0;
}
