/*
 * A witness between a process and its files, preloaded into it (LD_PRELOAD, `shim.ts` compiles it and says how): it
 * writes every change of the files under one folder to a trace, in the order in which they happened, and it can make
 * calls fail while the process runs. The process notices nothing else.
 *
 *   POWER_SHIM_FOLDER   the watched folder, an absolute path without symbolic links
 *   POWER_SHIM_TRACE    the trace, outside of that folder, appended to by every process below; unset: no trace
 *   POWER_SHIM_FAULTS   the file of fault rules; unset or not there: no faults
 *
 * THE TRACE is a row of records, each written by one call to a file opened with O_APPEND, so that the position in the
 * file is the order, over all threads and processes. A record is the struct below (little-endian), then the path
 * relative to the folder, then the data. Of calls that failed only injected faults are recorded. A sync is two records:
 * what is recorded before its beginning (`syncing`) is on disk at its end (`synced`), unless that has failed. SQLite's
 * -shm files are rebuilt from the log at every start, so they are not recorded. A shared writable mapping of any other
 * file would go unseen: it is recorded as `mapped`, and whoever reads the trace must refuse it.
 *
 * Calls that do not pass through the C library by name (io_uring, copy_file_range) go unseen; `recording.ts` compares the
 * files with the trace when the process has ended, so that nothing is missed unnoticed.
 *
 * `answered` is no change of a file: it is the beginning of a response that is about to leave through a socket
 * (HTTP/1.1 and the first bytes after it). So the trace knows which syncs came before an answer.
 *
 * FAULTS. The file holds a rule per line, `<calls> <path> <after> <times> <effect>`, and is read again whenever it has
 * changed: replace it by renaming another onto it to switch faults on, remove or empty it to switch them off.
 *
 *   calls    comma-joined: open read write truncate sync map mkdir unlink rename (fsync and fdatasync are `sync`; every
 *            kind of write is `write`; `rename` matches either of its paths)
 *   path     the end of the path, such as `journal.db-wal`; `*` matches every path under the folder
 *   after    how many matching calls go through before the first that does not
 *   times    how many then do not; `*` is all
 *   effect   EIO, ENOSPC, EROFS, EDQUOT, EACCES, EMFILE, EINTR or a number: the call does nothing and fails with it
 *            short: a write stores the first half of what it was given, and says so
 *            wait=<microseconds>: the call waits first, then does what it should
 *
 *     sync journal.db-wal 3 * EIO          from the fourth sync of the log on, every sync fails
 *     write,truncate * 0 2 ENOSPC          the next two writes find no room
 *
 * The first rule that matches a call and lets it not through decides. Calls are counted in each process for itself,
 * from when it has read the rules.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation {
  CREATED = 1, WRITTEN, TRUNCATED, SYNCING, SYNCED, UNLINKED, RENAMED, MADE_DIRECTORY, REMOVED_DIRECTORY, MAPPED, ANSWERED
};

struct record {
  uint32_t magic;
  uint32_t operation;
  uint32_t thread;
  uint32_t path_bytes; /* of a rename: both paths, joined by a zero byte */
  uint64_t file;       /* inode: the same file under every name */
  int64_t offset;      /* of a truncation: the new size */
  int64_t length;      /* as asked */
  int64_t result;      /* bytes, or 0; an injected errno as a negative number */
  uint32_t data_bytes;
  uint32_t process;
};

#define MAGIC 0x31534c50u /* "PLS1" */
#define ANSWER_BYTES 1024

static char folder[PATH_MAX];
static size_t folder_bytes;
static int trace = -1;

/* Held from a call to its record, so that records are in the order of the calls. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* What the descriptors of watched files stand for; the path is the one they were opened with. */
#define DESCRIPTORS 65536
struct watched {
  uint64_t file;
  char *path;
  int scratch; /* a -shm file */
};
static _Atomic(struct watched *) watched[DESCRIPTORS];

static void give_up(const char *what) {
  dprintf(2, "power shim: %s: %s\n", what, strerror(errno));
  abort();
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) give_up(name);
  return found;
}

__attribute__((constructor)) static void start(void) {
  const char *where = getenv("POWER_SHIM_FOLDER");
  const char *to = getenv("POWER_SHIM_TRACE");
  if (where == NULL) return;
  folder_bytes = strlen(where);
  if (folder_bytes >= sizeof folder) give_up("the folder's name is too long");
  memcpy(folder, where, folder_bytes + 1);
  if (to == NULL) return;
  trace = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (trace < 0) give_up("the trace cannot be opened");
}

/* ------------------------------------------------------------------------------------------------------- the trace */

static void put(enum operation operation, uint64_t file, const char *path, size_t path_bytes, int64_t offset,
                int64_t length, int64_t result, const struct iovec *data, int parts, size_t data_bytes) {
  if (trace < 0) return;
  struct record record = {.magic = MAGIC,
                          .operation = operation,
                          .thread = (uint32_t)syscall(SYS_gettid),
                          .path_bytes = (uint32_t)path_bytes,
                          .file = file,
                          .offset = offset,
                          .length = length,
                          .result = result,
                          .data_bytes = (uint32_t)data_bytes,
                          .process = (uint32_t)getpid()};
  size_t bytes = sizeof record + path_bytes + data_bytes;
  char *whole = malloc(bytes);
  if (whole == NULL) give_up("no memory for a record");
  memcpy(whole, &record, sizeof record);
  memcpy(whole + sizeof record, path, path_bytes);
  char *at = whole + sizeof record + path_bytes;
  for (int part = 0; part < parts && data_bytes > 0; part++) {
    size_t taken = data[part].iov_len < data_bytes ? data[part].iov_len : data_bytes;
    memcpy(at, data[part].iov_base, taken);
    at += taken;
    data_bytes -= taken;
  }
  if (syscall(SYS_write, trace, whole, bytes) != (long)bytes) give_up("the trace cannot be written");
  free(whole);
}

static void put_path(enum operation operation, uint64_t file, const char *path, int64_t offset, int64_t result) {
  put(operation, file, path, strlen(path), offset, 0, result, NULL, 0, 0);
}

/* ------------------------------------------------------------------------------------------------------ what is watched */

/* Takes `.`, `..` and doubled slashes out of an absolute path, in place. */
static void straighten(char *path) {
  char *end = path;
  for (char *rest, *name = strtok_r(path, "/", &rest); name != NULL; name = strtok_r(NULL, "/", &rest)) {
    if (strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) {
      while (end > path && *--end != '/') continue;
      continue;
    }
    size_t bytes = strlen(name);
    memmove(end + 1, name, bytes);
    *end = '/';
    end += bytes + 1;
  }
  *end = '\0';
}

/* The path relative to the folder, "" for the folder itself; NULL when it lies elsewhere. */
static const char *inside(int directory, const char *path, char whole[PATH_MAX]) {
  if (folder_bytes == 0 || path == NULL) return NULL;
  char base[PATH_MAX] = "";
  if (path[0] != '/' && directory == AT_FDCWD) {
    if (getcwd(base, sizeof base) == NULL) return NULL;
  } else if (path[0] != '/') {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t bytes = readlink(link, base, sizeof base - 1);
    if (bytes < 0) return NULL;
    base[bytes] = '\0';
  }
  if (snprintf(whole, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
  straighten(whole);
  if (strncmp(whole, folder, folder_bytes) != 0) return NULL;
  if (whole[folder_bytes] == '\0') return whole + folder_bytes;
  return whole[folder_bytes] == '/' ? whole + folder_bytes + 1 : NULL;
}

/* Not every way to close a descriptor leads past here, and its number is soon used again: the inode tells. */
static struct watched *watched_file(int fd) {
  struct watched *entry = fd >= 0 && fd < DESCRIPTORS ? atomic_load(&watched[fd]) : NULL;
  struct stat status;
  if (entry == NULL) return NULL;
  if (fstat(fd, &status) == 0 && status.st_ino == entry->file && !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode))
    return entry;
  atomic_store(&watched[fd], NULL);
  return NULL;
}

static int ends_with(const char *text, const char *end) {
  size_t bytes = strlen(text), end_bytes = strlen(end);
  return bytes >= end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

static void watch(int fd, const char *path, uint64_t file) {
  struct watched *entry = malloc(sizeof *entry);
  if (fd >= DESCRIPTORS || entry == NULL || (entry->path = strdup(path)) == NULL) give_up("too many open files");
  entry->file = file;
  entry->scratch = ends_with(path, "-shm");
  /* What the number stood for before is not freed: another thread may still be looking at it. */
  atomic_store(&watched[fd], entry);
}

static uint64_t inode_of(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 ? status.st_ino : 0;
}

/* --------------------------------------------------------------------------------------------------------------- faults */

enum call { OPEN = 1, READ = 2, WRITE = 4, TRUNCATE = 8, SYNC = 16, MAP = 32, MKDIR = 64, UNLINK = 128, RENAME = 256 };

#define SHORT (-1)
#define RULES 64
struct rule {
  unsigned calls;
  char path[128];
  long after, times; /* times: negative is all */
  int error;         /* an errno, or SHORT */
  long wait_us;
};
static struct rule rules[RULES];
static int rule_count;
static struct stat rules_read;
static pthread_mutex_t ruling = PTHREAD_MUTEX_INITIALIZER;

static unsigned calls_of(char *words) {
  static const char *const names[] = {"open", "read", "write", "truncate", "sync", "map", "mkdir", "unlink", "rename"};
  unsigned calls = 0;
  for (char *rest, *word = strtok_r(words, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
    unsigned found = 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
      if (strcmp(word, names[i]) == 0) found = 1u << i;
    if (found == 0) give_up("a fault rule names a call that there is not");
    calls |= found;
  }
  return calls;
}

static int error_of(const char *word) {
  static const struct { const char *name; int error; } names[] = {
      {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT},
      {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"EINTR", EINTR}, {"short", SHORT}};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(word, names[i].name) == 0) return names[i].error;
  int error = atoi(word);
  if (error <= 0) give_up("a fault rule has an effect that there is not");
  return error;
}

static void read_rules(const char *file) {
  rule_count = 0;
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[8192];
  ssize_t bytes = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  text[bytes < 0 ? 0 : bytes] = '\0';
  for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char calls[128], path[128], times[32], effect[32];
    long after;
    if (sscanf(line, "%127s %127s %ld %31s %31s", calls, path, &after, times, effect) != 5 || rule_count == RULES)
      give_up("a fault rule cannot be read");
    struct rule *rule = &rules[rule_count++];
    *rule = (struct rule){.calls = calls_of(calls), .after = after, .times = times[0] == '*' ? -1 : atol(times)};
    strcpy(rule->path, path);
    if (strncmp(effect, "wait=", 5) == 0) rule->wait_us = atol(effect + 5);
    else rule->error = error_of(effect);
  }
}

/* 0: nothing; an errno; SHORT. */
static int fault(enum call call, const char *path) {
  static atomic_int asked;
  static const char *file;
  if (atomic_load(&asked) == 0) {
    file = getenv("POWER_SHIM_FAULTS");
    atomic_store(&asked, 1);
  }
  if (file == NULL) return 0;
  int error = 0;
  long wait_us = 0;
  pthread_mutex_lock(&ruling);
  struct stat now = {0};
  if (stat(file, &now) != 0) now.st_ino = 0;
  if (now.st_ino != rules_read.st_ino || now.st_size != rules_read.st_size ||
      now.st_mtim.tv_sec != rules_read.st_mtim.tv_sec || now.st_mtim.tv_nsec != rules_read.st_mtim.tv_nsec) {
    read_rules(file);
    rules_read = now;
  }
  for (int i = 0; i < rule_count; i++) {
    struct rule *rule = &rules[i];
    if ((rule->calls & call) == 0 || rule->times == 0) continue;
    if (strcmp(rule->path, "*") != 0 && !ends_with(path, rule->path)) continue;
    if (rule->after > 0) {
      rule->after--;
      continue;
    }
    if (rule->times > 0) rule->times--;
    error = rule->error;
    wait_us = rule->wait_us;
    break;
  }
  pthread_mutex_unlock(&ruling);
  if (wait_us > 0) usleep((useconds_t)wait_us);
  return error;
}

/* Fails the call with an injected errno, and says so in the trace. */
static int refuse(enum operation operation, uint64_t file, const char *path, int error) {
  pthread_mutex_lock(&order);
  put_path(operation, file, path, 0, -error);
  pthread_mutex_unlock(&order);
  errno = error;
  return -1;
}

/* -------------------------------------------------------------------------------------------------- opening and closing */

static int open_any(int directory, const char *name, int flags, mode_t mode) {
  char whole[PATH_MAX];
  const char *path = inside(directory, name, whole);
  if (path == NULL) return syscall(SYS_openat, directory, name, flags, mode);
  int error = fault(OPEN, path);
  if (error > 0) {
    if (!ends_with(path, "-shm")) return refuse(CREATED, 0, path, error);
    errno = error;
    return -1;
  }
  pthread_mutex_lock(&order);
  struct stat before, after;
  int existed = fstatat(directory, name, &before, 0) == 0;
  int fd = syscall(SYS_openat, directory, name, flags, mode);
  if (fd >= 0) {
    if (fstat(fd, &after) != 0) give_up("an open file has no status");
    watch(fd, path, after.st_ino);
    if (!ends_with(path, "-shm")) {
      if (!existed && S_ISREG(after.st_mode)) put_path(CREATED, after.st_ino, path, 0, 0);
      else if ((flags & O_TRUNC) != 0 && before.st_size > 0) put_path(TRUNCATED, after.st_ino, path, 0, 0);
    }
  }
  int kept = errno;
  pthread_mutex_unlock(&order);
  errno = kept;
  return fd;
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(directory, path, flags, mode);
}

static int watch_made(int fd, const char *path) {
  char whole[PATH_MAX];
  const char *relative = fd < 0 ? NULL : inside(AT_FDCWD, path, whole);
  if (relative == NULL) return fd;
  struct stat status;
  if (fstat(fd, &status) != 0) give_up("an open file has no status");
  watch(fd, relative, status.st_ino);
  pthread_mutex_lock(&order);
  put_path(CREATED, status.st_ino, relative, 0, 0);
  pthread_mutex_unlock(&order);
  return fd;
}
int mkstemp(char *path) { return watch_made(REAL(mkstemp)(path), path); }
int mkstemp64(char *path) { return watch_made(REAL(mkstemp64)(path), path); }
int mkostemp(char *path, int flags) { return watch_made(REAL(mkostemp)(path, flags), path); }
int mkostemp64(char *path, int flags) { return watch_made(REAL(mkostemp64)(path, flags), path); }

int close(int fd) {
  if (fd >= 0 && fd < DESCRIPTORS) atomic_store(&watched[fd], NULL);
  return syscall(SYS_close, fd);
}

/* -------------------------------------------------------------------------------------------------------------- writing */

#define AT_POSITION (-1)

static size_t bytes_of(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

static ssize_t write_watched(int fd, struct watched *entry, const struct iovec *parts, int count, off_t offset) {
  int error = fault(WRITE, entry->path);
  if (error > 0) {
    if (!entry->scratch) return refuse(WRITTEN, entry->file, entry->path, error);
    errno = error;
    return -1;
  }
  struct iovec half = count > 0 ? parts[0] : (struct iovec){0};
  if (error == SHORT && half.iov_len > 1) {
    half.iov_len /= 2;
    parts = &half;
    count = 1;
  }
  pthread_mutex_lock(&order);
  ssize_t written = offset == AT_POSITION ? syscall(SYS_writev, fd, parts, count)
                                          : syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
  int kept = errno;
  if (written > 0 && !entry->scratch) {
    off_t at = offset == AT_POSITION ? lseek(fd, 0, SEEK_CUR) - written : offset;
    put(WRITTEN, entry->file, entry->path, strlen(entry->path), at, (int64_t)bytes_of(parts, count), written, parts,
        count, (size_t)written);
  }
  pthread_mutex_unlock(&order);
  errno = kept;
  return written;
}

/* The beginning of an HTTP response that is about to leave. */
static void note_answer(const struct iovec *parts, int count) {
  static const char begin[] = "HTTP/1.1 ";
  if (trace < 0 || count < 1 || parts[0].iov_len < sizeof begin) return;
  if (memcmp(parts[0].iov_base, begin, sizeof begin - 1) != 0) return;
  size_t bytes = bytes_of(parts, count);
  pthread_mutex_lock(&order);
  put(ANSWERED, 0, "", 0, 0, (int64_t)bytes, 0, parts, count, bytes < ANSWER_BYTES ? bytes : ANSWER_BYTES);
  pthread_mutex_unlock(&order);
}

ssize_t write(int fd, const void *data, size_t bytes) {
  struct watched *entry = watched_file(fd);
  struct iovec part = {(void *)data, bytes};
  if (entry != NULL) return write_watched(fd, entry, &part, 1, AT_POSITION);
  note_answer(&part, 1);
  return syscall(SYS_write, fd, data, bytes);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  struct watched *entry = watched_file(fd);
  if (entry != NULL) return write_watched(fd, entry, parts, count, AT_POSITION);
  note_answer(parts, count);
  return syscall(SYS_writev, fd, parts, count);
}
ssize_t send(int fd, const void *data, size_t bytes, int flags) {
  struct iovec part = {(void *)data, bytes};
  note_answer(&part, 1);
  return syscall(SYS_sendto, fd, data, bytes, flags, NULL, 0);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  note_answer(message->msg_iov, (int)message->msg_iovlen);
  return syscall(SYS_sendmsg, fd, message, flags);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) {
  struct watched *entry = watched_file(fd);
  struct iovec part = {(void *)data, bytes};
  if (entry != NULL) return write_watched(fd, entry, &part, 1, offset);
  return syscall(SYS_pwrite64, fd, data, bytes, offset);
}
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) { return pwrite64(fd, data, bytes, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  struct watched *entry = watched_file(fd);
  if (entry != NULL) return write_watched(fd, entry, parts, count, offset);
  return syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

int ftruncate64(int fd, off_t size) {
  struct watched *entry = watched_file(fd);
  if (entry == NULL) return syscall(SYS_ftruncate, fd, size);
  int error = fault(TRUNCATE, entry->path);
  if (error > 0) return refuse(TRUNCATED, entry->file, entry->path, error);
  pthread_mutex_lock(&order);
  int result = syscall(SYS_ftruncate, fd, size);
  int kept = errno;
  if (result == 0 && !entry->scratch) put_path(TRUNCATED, entry->file, entry->path, size, 0);
  pthread_mutex_unlock(&order);
  errno = kept;
  return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  struct watched *entry = watched_file(fd);
  if (entry != NULL) {
    int error = fault(MAP, entry->path);
    if (error > 0) {
      errno = error;
      return MAP_FAILED;
    }
    if (!entry->scratch && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0) {
      pthread_mutex_lock(&order);
      put_path(MAPPED, entry->file, entry->path, offset, 0);
      pthread_mutex_unlock(&order);
    }
  }
  return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}
void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return mmap64(address, bytes, protection, flags, fd, offset);
}

/* -------------------------------------------------------------------------------------------------------------- reading */

ssize_t pread64(int fd, void *data, size_t bytes, off_t offset) {
  struct watched *entry = watched_file(fd);
  int error = entry == NULL ? 0 : fault(READ, entry->path);
  if (error > 0) {
    errno = error;
    return -1;
  }
  return syscall(SYS_pread64, fd, data, bytes, offset);
}
ssize_t pread(int fd, void *data, size_t bytes, off_t offset) { return pread64(fd, data, bytes, offset); }
ssize_t read(int fd, void *data, size_t bytes) {
  struct watched *entry = watched_file(fd);
  int error = entry == NULL ? 0 : fault(READ, entry->path);
  if (error > 0) {
    errno = error;
    return -1;
  }
  return syscall(SYS_read, fd, data, bytes);
}

/* -------------------------------------------------------------------------------------------------------------- syncing */

static int sync_watched(int fd, long call) {
  struct watched *entry = watched_file(fd);
  if (entry == NULL || entry->scratch) return syscall(call, fd);
  pthread_mutex_lock(&order);
  put_path(SYNCING, entry->file, entry->path, 0, 0);
  pthread_mutex_unlock(&order);
  int error = fault(SYNC, entry->path);
  if (error > 0) return refuse(SYNCED, entry->file, entry->path, error);
  int result = syscall(call, fd);
  int kept = errno;
  pthread_mutex_lock(&order);
  put_path(SYNCED, entry->file, entry->path, 0, result == 0 ? 0 : -kept);
  pthread_mutex_unlock(&order);
  errno = kept;
  return result;
}
int fsync(int fd) { return sync_watched(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_watched(fd, SYS_fdatasync); }

/* ---------------------------------------------------------------------------------------------------------- directories */

static int make_directory(int directory, const char *path, mode_t mode) {
  char whole[PATH_MAX];
  const char *relative = inside(directory, path, whole);
  if (relative == NULL) return syscall(SYS_mkdirat, directory, path, mode);
  int error = fault(MKDIR, relative);
  if (error > 0) return refuse(MADE_DIRECTORY, 0, relative, error);
  pthread_mutex_lock(&order);
  int result = syscall(SYS_mkdirat, directory, path, mode);
  int kept = errno;
  if (result == 0) put_path(MADE_DIRECTORY, 0, relative, 0, 0);
  pthread_mutex_unlock(&order);
  errno = kept;
  return result;
}
int mkdir(const char *path, mode_t mode) { return make_directory(AT_FDCWD, path, mode); }
int mkdirat(int directory, const char *path, mode_t mode) { return make_directory(directory, path, mode); }

static int remove_name(int directory, const char *path, int flags) {
  char whole[PATH_MAX];
  const char *relative = inside(directory, path, whole);
  if (relative == NULL) return syscall(SYS_unlinkat, directory, path, flags);
  enum operation operation = (flags & AT_REMOVEDIR) != 0 ? REMOVED_DIRECTORY : UNLINKED;
  int error = fault(UNLINK, relative);
  if (error > 0) return refuse(operation, 0, relative, error);
  pthread_mutex_lock(&order);
  int result = syscall(SYS_unlinkat, directory, path, flags);
  int kept = errno;
  if (result == 0 && !ends_with(relative, "-shm")) put_path(operation, 0, relative, 0, 0);
  pthread_mutex_unlock(&order);
  errno = kept;
  return result;
}
int unlink(const char *path) { return remove_name(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char *path, int flags) { return remove_name(directory, path, flags); }
int rmdir(const char *path) { return remove_name(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  struct stat status;
  return remove_name(AT_FDCWD, path, lstat(path, &status) == 0 && S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0);
}

int rename(const char *from, const char *to) {
  char whole_from[PATH_MAX], whole_to[PATH_MAX], both[2 * PATH_MAX];
  const char *relative_from = inside(AT_FDCWD, from, whole_from);
  const char *relative_to = inside(AT_FDCWD, to, whole_to);
  if (relative_from == NULL && relative_to == NULL) return syscall(SYS_rename, from, to);
  if (relative_from == NULL || relative_to == NULL) give_up("a file was renamed into or out of the folder");
  int error = fault(RENAME, relative_from);
  if (error == 0) error = fault(RENAME, relative_to);
  if (error > 0) return refuse(RENAMED, 0, relative_to, error);
  size_t from_bytes = strlen(relative_from), to_bytes = strlen(relative_to);
  memcpy(both, relative_from, from_bytes + 1);
  memcpy(both + from_bytes + 1, relative_to, to_bytes);
  pthread_mutex_lock(&order);
  uint64_t file = inode_of(from);
  int result = syscall(SYS_rename, from, to);
  int kept = errno;
  if (result == 0) put(RENAMED, file, both, from_bytes + 1 + to_bytes, 0, 0, 0, NULL, 0, 0);
  pthread_mutex_unlock(&order);
  errno = kept;
  return result;
}
