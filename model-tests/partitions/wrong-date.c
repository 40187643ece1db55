// A date that is off by WRONG_DATE_MS milliseconds, for a program that is started with this library before its own; time that only grows is left alone.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off_ms(void) {
  static long known = 0;
  static int is_known = 0;
  if (!is_known) {
    const char *given = getenv("WRONG_DATE_MS");
    known = given ? atol(given) : 0;
    is_known = 1;
  }
  return known;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int failed = (int)syscall(SYS_clock_gettime, clock, at);
  if (failed || clock != CLOCK_REALTIME) return failed;
  long long nanos = (long long)at->tv_nsec + off_ms() % 1000 * 1000000LL;
  at->tv_sec += off_ms() / 1000 + (nanos >= 1000000000LL) - (nanos < 0);
  at->tv_nsec = (long)((nanos + 1000000000LL) % 1000000000LL);
  return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
