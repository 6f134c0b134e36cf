// The imports and the table of them.
#include "preview1.h"

IMPORT(args_get) u32 wasi_args_get(u32 p0, u32 p1);
IMPORT(args_sizes_get) u32 wasi_args_sizes_get(u32 p0, u32 p1);
IMPORT(environ_get) u32 wasi_environ_get(u32 p0, u32 p1);
IMPORT(environ_sizes_get) u32 wasi_environ_sizes_get(u32 p0, u32 p1);
IMPORT(clock_res_get) u32 wasi_clock_res_get(u32 p0, u32 p1);
IMPORT(clock_time_get) u32 wasi_clock_time_get(u32 p0, u64 p1, u32 p2);
IMPORT(fd_advise) u32 wasi_fd_advise(u32 p0, u64 p1, u64 p2, u32 p3);
IMPORT(fd_allocate) u32 wasi_fd_allocate(u32 p0, u64 p1, u64 p2);
IMPORT(fd_close) u32 wasi_fd_close(u32 p0);
IMPORT(fd_datasync) u32 wasi_fd_datasync(u32 p0);
IMPORT(fd_fdstat_get) u32 wasi_fd_fdstat_get(u32 p0, u32 p1);
IMPORT(fd_fdstat_set_flags) u32 wasi_fd_fdstat_set_flags(u32 p0, u32 p1);
IMPORT(fd_fdstat_set_rights) u32 wasi_fd_fdstat_set_rights(u32 p0, u64 p1, u64 p2);
IMPORT(fd_filestat_get) u32 wasi_fd_filestat_get(u32 p0, u32 p1);
IMPORT(fd_filestat_set_size) u32 wasi_fd_filestat_set_size(u32 p0, u64 p1);
IMPORT(fd_filestat_set_times) u32 wasi_fd_filestat_set_times(u32 p0, u64 p1, u64 p2, u32 p3);
IMPORT(fd_pread) u32 wasi_fd_pread(u32 p0, u32 p1, u32 p2, u64 p3, u32 p4);
IMPORT(fd_prestat_get) u32 wasi_fd_prestat_get(u32 p0, u32 p1);
IMPORT(fd_prestat_dir_name) u32 wasi_fd_prestat_dir_name(u32 p0, u32 p1, u32 p2);
IMPORT(fd_pwrite) u32 wasi_fd_pwrite(u32 p0, u32 p1, u32 p2, u64 p3, u32 p4);
IMPORT(fd_read) u32 wasi_fd_read(u32 p0, u32 p1, u32 p2, u32 p3);
IMPORT(fd_readdir) u32 wasi_fd_readdir(u32 p0, u32 p1, u32 p2, u64 p3, u32 p4);
IMPORT(fd_renumber) u32 wasi_fd_renumber(u32 p0, u32 p1);
IMPORT(fd_seek) u32 wasi_fd_seek(u32 p0, u64 p1, u32 p2, u32 p3);
IMPORT(fd_sync) u32 wasi_fd_sync(u32 p0);
IMPORT(fd_tell) u32 wasi_fd_tell(u32 p0, u32 p1);
IMPORT(fd_write) u32 wasi_fd_write(u32 p0, u32 p1, u32 p2, u32 p3);
IMPORT(path_create_directory) u32 wasi_path_create_directory(u32 p0, u32 p1, u32 p2);
IMPORT(path_filestat_get) u32 wasi_path_filestat_get(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4);
IMPORT(path_filestat_set_times)
u32 wasi_path_filestat_set_times(u32 p0, u32 p1, u32 p2, u32 p3, u64 p4, u64 p5, u32 p6);
IMPORT(path_link) u32 wasi_path_link(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u32 p5, u32 p6);
IMPORT(path_open) u32 wasi_path_open(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u64 p5, u64 p6, u32 p7, u32 p8);
IMPORT(path_readlink) u32 wasi_path_readlink(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u32 p5);
IMPORT(path_remove_directory) u32 wasi_path_remove_directory(u32 p0, u32 p1, u32 p2);
IMPORT(path_rename) u32 wasi_path_rename(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u32 p5);
IMPORT(path_symlink) u32 wasi_path_symlink(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4);
IMPORT(path_unlink_file) u32 wasi_path_unlink_file(u32 p0, u32 p1, u32 p2);
IMPORT(poll_oneoff) u32 wasi_poll_oneoff(u32 p0, u32 p1, u32 p2, u32 p3);
IMPORT(proc_exit) void wasi_proc_exit(u32 p0);
IMPORT(proc_raise) u32 wasi_proc_raise(u32 p0);
IMPORT(sched_yield) u32 wasi_sched_yield(void);
IMPORT(random_get) u32 wasi_random_get(u32 p0, u32 p1);
IMPORT(sock_accept) u32 wasi_sock_accept(u32 p0, u32 p1, u32 p2);
IMPORT(sock_recv) u32 wasi_sock_recv(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u32 p5);
IMPORT(sock_send) u32 wasi_sock_send(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4);
IMPORT(sock_shutdown) u32 wasi_sock_shutdown(u32 p0, u32 p1);

static u32 call_args_get(const u64* a) {
  return wasi_args_get((u32)a[0], (u32)a[1]);
}
static u32 call_args_sizes_get(const u64* a) {
  return wasi_args_sizes_get((u32)a[0], (u32)a[1]);
}
static u32 call_environ_get(const u64* a) {
  return wasi_environ_get((u32)a[0], (u32)a[1]);
}
static u32 call_environ_sizes_get(const u64* a) {
  return wasi_environ_sizes_get((u32)a[0], (u32)a[1]);
}
static u32 call_clock_res_get(const u64* a) {
  return wasi_clock_res_get((u32)a[0], (u32)a[1]);
}
static u32 call_clock_time_get(const u64* a) {
  return wasi_clock_time_get((u32)a[0], a[1], (u32)a[2]);
}
static u32 call_fd_advise(const u64* a) {
  return wasi_fd_advise((u32)a[0], a[1], a[2], (u32)a[3]);
}
static u32 call_fd_allocate(const u64* a) {
  return wasi_fd_allocate((u32)a[0], a[1], a[2]);
}
static u32 call_fd_close(const u64* a) {
  return wasi_fd_close((u32)a[0]);
}
static u32 call_fd_datasync(const u64* a) {
  return wasi_fd_datasync((u32)a[0]);
}
static u32 call_fd_fdstat_get(const u64* a) {
  return wasi_fd_fdstat_get((u32)a[0], (u32)a[1]);
}
static u32 call_fd_fdstat_set_flags(const u64* a) {
  return wasi_fd_fdstat_set_flags((u32)a[0], (u32)a[1]);
}
static u32 call_fd_fdstat_set_rights(const u64* a) {
  return wasi_fd_fdstat_set_rights((u32)a[0], a[1], a[2]);
}
static u32 call_fd_filestat_get(const u64* a) {
  return wasi_fd_filestat_get((u32)a[0], (u32)a[1]);
}
static u32 call_fd_filestat_set_size(const u64* a) {
  return wasi_fd_filestat_set_size((u32)a[0], a[1]);
}
static u32 call_fd_filestat_set_times(const u64* a) {
  return wasi_fd_filestat_set_times((u32)a[0], a[1], a[2], (u32)a[3]);
}
static u32 call_fd_pread(const u64* a) {
  return wasi_fd_pread((u32)a[0], (u32)a[1], (u32)a[2], a[3], (u32)a[4]);
}
static u32 call_fd_prestat_get(const u64* a) {
  return wasi_fd_prestat_get((u32)a[0], (u32)a[1]);
}
static u32 call_fd_prestat_dir_name(const u64* a) {
  return wasi_fd_prestat_dir_name((u32)a[0], (u32)a[1], (u32)a[2]);
}
static u32 call_fd_pwrite(const u64* a) {
  return wasi_fd_pwrite((u32)a[0], (u32)a[1], (u32)a[2], a[3], (u32)a[4]);
}
static u32 call_fd_read(const u64* a) {
  return wasi_fd_read((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3]);
}
static u32 call_fd_readdir(const u64* a) {
  return wasi_fd_readdir((u32)a[0], (u32)a[1], (u32)a[2], a[3], (u32)a[4]);
}
static u32 call_fd_renumber(const u64* a) {
  return wasi_fd_renumber((u32)a[0], (u32)a[1]);
}
static u32 call_fd_seek(const u64* a) {
  return wasi_fd_seek((u32)a[0], a[1], (u32)a[2], (u32)a[3]);
}
static u32 call_fd_sync(const u64* a) {
  return wasi_fd_sync((u32)a[0]);
}
static u32 call_fd_tell(const u64* a) {
  return wasi_fd_tell((u32)a[0], (u32)a[1]);
}
static u32 call_fd_write(const u64* a) {
  return wasi_fd_write((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3]);
}
static u32 call_path_create_directory(const u64* a) {
  return wasi_path_create_directory((u32)a[0], (u32)a[1], (u32)a[2]);
}
static u32 call_path_filestat_get(const u64* a) {
  return wasi_path_filestat_get((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4]);
}
static u32 call_path_filestat_set_times(const u64* a) {
  return wasi_path_filestat_set_times((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], a[4], a[5], (u32)a[6]);
}
static u32 call_path_link(const u64* a) {
  return wasi_path_link((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4], (u32)a[5], (u32)a[6]);
}
static u32 call_path_open(const u64* a) {
  return wasi_path_open((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4], a[5], a[6], (u32)a[7], (u32)a[8]);
}
static u32 call_path_readlink(const u64* a) {
  return wasi_path_readlink((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4], (u32)a[5]);
}
static u32 call_path_remove_directory(const u64* a) {
  return wasi_path_remove_directory((u32)a[0], (u32)a[1], (u32)a[2]);
}
static u32 call_path_rename(const u64* a) {
  return wasi_path_rename((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4], (u32)a[5]);
}
static u32 call_path_symlink(const u64* a) {
  return wasi_path_symlink((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4]);
}
static u32 call_path_unlink_file(const u64* a) {
  return wasi_path_unlink_file((u32)a[0], (u32)a[1], (u32)a[2]);
}
static u32 call_poll_oneoff(const u64* a) {
  return wasi_poll_oneoff((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3]);
}
static u32 call_proc_exit(const u64* a) {
  wasi_proc_exit((u32)a[0]);
  return 0;
}
static u32 call_proc_raise(const u64* a) {
  return wasi_proc_raise((u32)a[0]);
}
static u32 call_sched_yield(const u64* a) {
  (void)a;
  return wasi_sched_yield();
}
static u32 call_random_get(const u64* a) {
  return wasi_random_get((u32)a[0], (u32)a[1]);
}
static u32 call_sock_accept(const u64* a) {
  return wasi_sock_accept((u32)a[0], (u32)a[1], (u32)a[2]);
}
static u32 call_sock_recv(const u64* a) {
  return wasi_sock_recv((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4], (u32)a[5]);
}
static u32 call_sock_send(const u64* a) {
  return wasi_sock_send((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3], (u32)a[4]);
}
static u32 call_sock_shutdown(const u64* a) {
  return wasi_sock_shutdown((u32)a[0], (u32)a[1]);
}

void cases_args_get(const struct function* f);
void cases_args_sizes_get(const struct function* f);
void cases_environ_get(const struct function* f);
void cases_environ_sizes_get(const struct function* f);
void cases_clock_res_get(const struct function* f);
void cases_clock_time_get(const struct function* f);
void cases_fd_advise(const struct function* f);
void cases_fd_allocate(const struct function* f);
void cases_fd_close(const struct function* f);
void cases_fd_datasync(const struct function* f);
void cases_fd_fdstat_get(const struct function* f);
void cases_fd_fdstat_set_flags(const struct function* f);
void cases_fd_fdstat_set_rights(const struct function* f);
void cases_fd_filestat_get(const struct function* f);
void cases_fd_filestat_set_size(const struct function* f);
void cases_fd_filestat_set_times(const struct function* f);
void cases_fd_pread(const struct function* f);
void cases_fd_prestat_get(const struct function* f);
void cases_fd_prestat_dir_name(const struct function* f);
void cases_fd_pwrite(const struct function* f);
void cases_fd_read(const struct function* f);
void cases_fd_readdir(const struct function* f);
void cases_fd_renumber(const struct function* f);
void cases_fd_seek(const struct function* f);
void cases_fd_sync(const struct function* f);
void cases_fd_tell(const struct function* f);
void cases_fd_write(const struct function* f);
void cases_path_create_directory(const struct function* f);
void cases_path_filestat_get(const struct function* f);
void cases_path_filestat_set_times(const struct function* f);
void cases_path_link(const struct function* f);
void cases_path_open(const struct function* f);
void cases_path_readlink(const struct function* f);
void cases_path_remove_directory(const struct function* f);
void cases_path_rename(const struct function* f);
void cases_path_symlink(const struct function* f);
void cases_path_unlink_file(const struct function* f);
void cases_poll_oneoff(const struct function* f);
void cases_proc_exit(const struct function* f);
void cases_proc_raise(const struct function* f);
void cases_sched_yield(const struct function* f);
void cases_random_get(const struct function* f);
void cases_sock_accept(const struct function* f);
void cases_sock_recv(const struct function* f);
void cases_sock_send(const struct function* f);
void cases_sock_shutdown(const struct function* f);

const struct function functions[] = {
    {"args_get", 2, call_args_get, cases_args_get},
    {"args_sizes_get", 2, call_args_sizes_get, cases_args_sizes_get},
    {"environ_get", 2, call_environ_get, cases_environ_get},
    {"environ_sizes_get", 2, call_environ_sizes_get, cases_environ_sizes_get},
    {"clock_res_get", 2, call_clock_res_get, cases_clock_res_get},
    {"clock_time_get", 3, call_clock_time_get, cases_clock_time_get},
    {"fd_advise", 4, call_fd_advise, cases_fd_advise},
    {"fd_allocate", 3, call_fd_allocate, cases_fd_allocate},
    {"fd_close", 1, call_fd_close, cases_fd_close},
    {"fd_datasync", 1, call_fd_datasync, cases_fd_datasync},
    {"fd_fdstat_get", 2, call_fd_fdstat_get, cases_fd_fdstat_get},
    {"fd_fdstat_set_flags", 2, call_fd_fdstat_set_flags, cases_fd_fdstat_set_flags},
    {"fd_fdstat_set_rights", 3, call_fd_fdstat_set_rights, cases_fd_fdstat_set_rights},
    {"fd_filestat_get", 2, call_fd_filestat_get, cases_fd_filestat_get},
    {"fd_filestat_set_size", 2, call_fd_filestat_set_size, cases_fd_filestat_set_size},
    {"fd_filestat_set_times", 4, call_fd_filestat_set_times, cases_fd_filestat_set_times},
    {"fd_pread", 5, call_fd_pread, cases_fd_pread},
    {"fd_prestat_get", 2, call_fd_prestat_get, cases_fd_prestat_get},
    {"fd_prestat_dir_name", 3, call_fd_prestat_dir_name, cases_fd_prestat_dir_name},
    {"fd_pwrite", 5, call_fd_pwrite, cases_fd_pwrite},
    {"fd_read", 4, call_fd_read, cases_fd_read},
    {"fd_readdir", 5, call_fd_readdir, cases_fd_readdir},
    {"fd_renumber", 2, call_fd_renumber, cases_fd_renumber},
    {"fd_seek", 4, call_fd_seek, cases_fd_seek},
    {"fd_sync", 1, call_fd_sync, cases_fd_sync},
    {"fd_tell", 2, call_fd_tell, cases_fd_tell},
    {"fd_write", 4, call_fd_write, cases_fd_write},
    {"path_create_directory", 3, call_path_create_directory, cases_path_create_directory},
    {"path_filestat_get", 5, call_path_filestat_get, cases_path_filestat_get},
    {"path_filestat_set_times", 7, call_path_filestat_set_times, cases_path_filestat_set_times},
    {"path_link", 7, call_path_link, cases_path_link},
    {"path_open", 9, call_path_open, cases_path_open},
    {"path_readlink", 6, call_path_readlink, cases_path_readlink},
    {"path_remove_directory", 3, call_path_remove_directory, cases_path_remove_directory},
    {"path_rename", 6, call_path_rename, cases_path_rename},
    {"path_symlink", 5, call_path_symlink, cases_path_symlink},
    {"path_unlink_file", 3, call_path_unlink_file, cases_path_unlink_file},
    {"poll_oneoff", 4, call_poll_oneoff, cases_poll_oneoff},
    {"proc_exit", 1, call_proc_exit, cases_proc_exit},
    {"proc_raise", 1, call_proc_raise, cases_proc_raise},
    {"sched_yield", 0, call_sched_yield, cases_sched_yield},
    {"random_get", 2, call_random_get, cases_random_get},
    {"sock_accept", 3, call_sock_accept, cases_sock_accept},
    {"sock_recv", 6, call_sock_recv, cases_sock_recv},
    {"sock_send", 5, call_sock_send, cases_sock_send},
    {"sock_shutdown", 2, call_sock_shutdown, cases_sock_shutdown},
};
const int function_count = sizeof functions / sizeof functions[0];
