#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/names.h"

uint64_t grn_parts_mix(uint64_t h, const void *p, size_t n)
{
    uint64_t pair[2] = { h, grn_hash(p, n) };
    return grn_hash(pair, sizeof pair);
}

uint64_t grn_parts_mix_name(uint64_t h, const char *name)
{
    return grn_parts_mix(h, name, strlen(name));
}

grn_status grn_parts_path(const char *output, uint64_t hash, const char *suffix, grn_str_t *path)
{
    grn_status rc = GRN_OK;
    path->n = 0;
    GRN_TRY(grn_str_printf(path, "%s.parts", output));
    if (mkdir(path->s, 0777) && errno != EEXIST) GRN_FAIL(GRN_EIO, "cannot make '%s': %s", path->s, strerror(errno));
    GRN_TRY(grn_str_printf(path, "/%016" PRIx64 "%s", hash, suffix));
end:
    return rc;
}

void grn_parts_remove(const char *output)
{
    grn_str_t path = { 0 };
    struct dirent *e;
    DIR *d = grn_str_printf(&path, "%s.parts", output) ? NULL : opendir(path.s);
    size_t n = path.n;
    while (d && (e = readdir(d))) {
        path.n = n;
        if (grn_str_ends(e->d_name, ".zst") && !grn_str_printf(&path, "/%s", e->d_name)) (void)unlink(path.s);
    }
    if (d) closedir(d);
    path.n = n;
    if (path.s) {
        path.s[n] = '\0';
        (void)rmdir(path.s); /* what is not ours stays, and its folder */
    }
    grn_str_clear(&path);
}

grn_status grn_parts_shard(const char *text, uint64_t *i, uint64_t *n)
{
    char buf[64], *f[3];
    int64_t a, b;
    if (strlen(text) < sizeof buf) {
        strncpy(buf, text, sizeof buf);
        if (grn_split(buf, '/', f, 3) == 2 && !grn_parse_i64(f[0], &a) && !grn_parse_i64(f[1], &b) && a >= 1 && a <= b &&
            b <= 1000000) {
            *i = (uint64_t)a;
            *n = (uint64_t)b;
            return GRN_OK;
        }
    }
    return grn_err(GRN_EUSAGE, "--shard '%s' is not of the form I/N with 1 <= I <= N", text);
}
