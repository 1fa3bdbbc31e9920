/* The clock a year ahead, for every program that this is loaded into before its own libraries (LD_PRELOAD, glibc).
 *
 * The day's clock goes ahead, and with it the times of files; the monotonic clock does not, nor does anything that waits:
 * a deadline that only a clock a year ahead can have given is brought back. No state and no lock, so that a process may be
 * killed, forked or started with any environment (Debian's faketime shares a semaphore, which a killed process keeps).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define AHEAD (365L * 24 * 60 * 60)
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int of_the_day(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&clock_gettime) next;
  if (!next) next = NEXT(clock_gettime);
  int failed = next(clock, now);
  if (!failed && of_the_day(clock)) now->tv_sec += AHEAD;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int failed = NEXT(gettimeofday)(now, zone);
  if (!failed) now->tv_sec += AHEAD;
  return failed;
}

time_t time(time_t *told) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (told) *told = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
  return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}

/* Deadlines. */

static struct timespec back(const struct timespec *then) {
  struct timespec now, real = *then;
  NEXT(clock_gettime)(CLOCK_REALTIME, &now);
  if (real.tv_sec > now.tv_sec + AHEAD / 2) real.tv_sec -= AHEAD;
  return real;
}

int pthread_cond_timedwait(pthread_cond_t *restrict changed, pthread_mutex_t *restrict held,
                           const struct timespec *restrict until) {
  static __typeof__(&pthread_cond_timedwait) next; /* dlsym alone finds the oldest of its versions */
  if (!next) next = (__typeof__(next))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!next) next = NEXT(pthread_cond_timedwait);
  struct timespec real = back(until);
  return next(changed, held, &real);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
  struct timespec real = back(until);
  return NEXT(sem_timedwait)(semaphore, &real);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
  struct timespec real = *wanted;
  if ((flags & TIMER_ABSTIME) && of_the_day(clock)) real = back(wanted);
  return NEXT(clock_nanosleep)(clock, flags, &real, left);
}

/* The times of files. */

#define LATER(file) \
  do { \
    (file)->st_atim.tv_sec += AHEAD; \
    (file)->st_mtim.tv_sec += AHEAD; \
    (file)->st_ctim.tv_sec += AHEAD; \
  } while (0)
#define STAT(name, parameters, words) \
  int name parameters { \
    int failed = NEXT(name) words; \
    if (!failed) LATER(file); \
    return failed; \
  }

STAT(stat, (const char *restrict path, struct stat *restrict file), (path, file))
STAT(lstat, (const char *restrict path, struct stat *restrict file), (path, file))
STAT(fstat, (int opened, struct stat *file), (opened, file))
STAT(fstatat, (int folder, const char *restrict path, struct stat *restrict file, int flags),
     (folder, path, file, flags))
STAT(stat64, (const char *restrict path, struct stat64 *restrict file), (path, file))
STAT(lstat64, (const char *restrict path, struct stat64 *restrict file), (path, file))
STAT(fstat64, (int opened, struct stat64 *file), (opened, file))
STAT(fstatat64, (int folder, const char *restrict path, struct stat64 *restrict file, int flags),
     (folder, path, file, flags))

static const struct timespec *earlier(const struct timespec given[2], struct timespec real[2]) {
  if (!given) return given;
  for (int one = 0; one < 2; one++) {
    real[one] = given[one];
    if (real[one].tv_nsec != UTIME_NOW && real[one].tv_nsec != UTIME_OMIT) real[one].tv_sec -= AHEAD;
  }
  return real;
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
  struct timespec real[2];
  return NEXT(utimensat)(folder, path, earlier(times, real), flags);
}

int futimens(int opened, const struct timespec times[2]) {
  struct timespec real[2];
  return NEXT(futimens)(opened, earlier(times, real));
}
