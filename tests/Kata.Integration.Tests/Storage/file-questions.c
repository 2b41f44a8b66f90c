// What files of the host can do in a container: file-questions DIRECTORY prints a line "question answer" for each.
// The answer is "ok" or the name of an error, unless the question says otherwise. Runs as root in the container.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GROUP = 2000, MANY = 1500 };

static const char *word(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static void answer(const char *question, const char *text) {
  printf("%s %s\n", question, text);
  fflush(stdout);
}

static void become(uid_t id, size_t groups, const gid_t *list) {
  if (setgroups(groups, list) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0) answer("become", word(-1));
}

static void owner(const char *question, const char *path) {
  struct stat status;
  char text[64];
  if (stat(path, &status) < 0) return answer(question, word(-1));
  snprintf(text, sizeof text, "%u:%u:%o", status.st_uid, status.st_gid, status.st_mode & 07777);
  answer(question, text);
}

static void contents(const char *question, const char *path) {
  char text[64] = {0};
  int file = open(path, O_RDONLY);
  if (file < 0 || read(file, text, sizeof text - 1) < 0) return answer(question, word(-1));
  close(file);
  answer(question, text);
}

// mmap(2) of a file that was opened for appending: pages go where they are mapped, and writes still to the end.
static void appends(void) {
  int file = open("log", O_RDWR | O_CREAT | O_APPEND, 0644);
  if (write(file, "0123456789", 10) != 10) return answer("mapped-append", word(-1));
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) return answer("mapped-append", word(-1));
  memcpy(page + 2, "AB", 2);
  msync(page, 4096, MS_SYNC);
  munmap(page, 4096);
  close(file);
  contents("mapped-append", "log");

  int first = open("shared-log", O_WRONLY | O_CREAT | O_APPEND, 0644), second = open("shared-log", O_WRONLY | O_APPEND);
  if (write(first, "a", 1) != 1 || write(second, "b", 1) != 1 || lseek(first, 0, SEEK_SET) < 0 || write(first, "c", 1) != 1)
    return answer("append", word(-1));
  contents("append", "shared-log");
}

static void others(void) {
  umask(022);
  mkdir("team", 0);
  if (chown("team", 0, GROUP) < 0 || chmod("team", 02770) < 0) return answer("team", word(-1));
  mkdir("admin", 0755);
  if (fork() == 0) {
    const gid_t groups[] = {GROUP};
    become(1000, 1, groups);
    answer("group-create", word(open("team/a", O_CREAT | O_EXCL | O_RDWR, 0666)));
    answer("group-mkdir", word(mkdir("team/d", 0777)));
    answer("group-symlink", word(symlink("a", "team/s")));
    answer("group-fifo", word(mkfifo("team/f", 0666)));
    answer("group-link", word(link("team/a", "team/l")));
    answer("group-rename", word(rename("team/a", "team/b")));
    owner("group-owner", "team/b");
    owner("group-directory", "team/d");
    exit(0);
  }
  wait(NULL);
  if (fork() == 0) {
    prctl(PR_SET_KEEPCAPS, 1);
    become(10, 0, NULL);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{1 << CAP_DAC_OVERRIDE, 1 << CAP_DAC_OVERRIDE, 0}};
    if (syscall(SYS_capset, &header, data) < 0) answer("capset", word(-1));
    answer("capable-create", word(open("admin/c", O_CREAT | O_EXCL | O_RDWR, 0644)));
    owner("capable-owner", "admin/c");
    exit(0);
  }
  wait(NULL);
  if (fork() == 0) {
    become(1001, 0, NULL);
    answer("other-create", word(open("admin/o", O_CREAT | O_RDWR, 0644)));
    answer("other-group", word(open("team/o", O_CREAT | O_RDWR, 0644)));
    exit(0);
  }
  wait(NULL);
}

// A lock that another holds for a moment is waited for.
static void locks(void) {
  int ready[2];
  char byte;
  for (int posix = 0; posix < 2; posix++) {
    struct flock whole = {.l_type = F_WRLCK};
    if (pipe(ready) < 0) return answer("lock", word(-1));
    if (fork() == 0) {
      int file = open("lock", O_RDWR | O_CREAT, 0644);
      if ((posix ? fcntl(file, F_SETLK, &whole) : flock(file, LOCK_EX | LOCK_NB)) < 0) answer("lock-holder", word(-1));
      if (write(ready[1], "x", 1) != 1) exit(1);
      sleep(1);
      exit(0);
    }
    if (read(ready[0], &byte, 1) != 1) return answer("lock", word(-1));
    int file = open("lock", O_RDWR);
    answer(posix ? "fcntl-held" : "flock-held", word(posix ? fcntl(file, F_SETLK, &whole) : flock(file, LOCK_EX | LOCK_NB)));
    answer(posix ? "fcntl-waits" : "flock-waits", word(posix ? fcntl(file, F_SETLKW, &whole) : flock(file, LOCK_EX)));
    close(file);
    wait(NULL);
  }
}

// Names, and how reading them ended; then how many of them cannot be looked at.
static void many(void) {
  char text[64];
  int names = 0, lost = 0;
  mkdir("many", 0755);
  for (int i = 0; i < MANY; i++) {
    snprintf(text, sizeof text, "many/%d", i);
    close(open(text, O_CREAT | O_WRONLY, 0644));
  }
  DIR *directory = opendir("many");
  if (directory == NULL) return answer("many", word(-1));
  struct dirent *entry;
  struct stat status;
  while (errno = 0, (entry = readdir(directory)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    names++;
    if (fstatat(dirfd(directory), entry->d_name, &status, 0) < 0) lost++;
  }
  snprintf(text, sizeof text, "%d:%s:%d", names, errno == 0 ? "end" : strerrorname_np(errno), lost);
  answer("many", text);
}

int main(int count, char **arguments) {
  if (count != 2 || (mkdir(arguments[1], 0755) < 0 && errno != EEXIST) || chdir(arguments[1]) < 0) return 1;
  appends();
  others();
  locks();
  many();
  answer("unnamed", word(open(".", O_TMPFILE | O_RDWR, 0600)));
  return 0;
}
