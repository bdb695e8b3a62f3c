/*
 * sandbox.h: what nurtured-intake gives up before it reads what strangers sent. One thread; none of it can be taken back, and what is started
 * afterwards has it too.
 *
 * Seccomp ends the process at a system call that it has no use for; Landlock, where the kernel has it, hides the files and the network that it has no
 * use for. A kernel without one of them does without it. Builds for a sanitizer have the limits of sandbox_limits() alone: the sanitizer itself opens
 * files, and starts a program to print what it found.
 */
#ifndef LISTEN_SANDBOX_H
#define LISTEN_SANDBOX_H

/* GCC has macros for it, clang features. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* Whatever it does: no core, no more privileges, 1 GB of memory, no file that grows. */
void sandbox_limits(void);

/*
 * It reads mails that it is given: no file, no socket, no process, no descriptor but those it has. To open a file is refused, as libraries try it
 * and cope; all else ends it. charset_load() comes before.
 */
void sandbox_parser(void);

/* It talks to a mail server: files are read where resolvers and TLS have theirs, and TCP goes to that port (and to port 53) alone. */
void sandbox_remote(int port, const char *cainfo);

/* It moves files in that Maildir: no other file, and no socket. */
void sandbox_maildir(const char *path);

#endif
