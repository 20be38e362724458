/* Devices: choosing one, the CUDA plugin, and buffers. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "nn/op.h"

#define PLUGIN "libgrn-cuda.so"

grn_status grn_op_missing(const grn_dev_t *dev, const char *fn)
{
    return grn_err(GRN_EUNSUP, "device %s has no operation '%s'", grn_dev_name(dev), fn);
}

const char *grn_dev_name(const grn_dev_t *dev)
{
    return dev->op->name(dev->ctx);
}

void grn_dev_close(grn_dev_t *dev)
{
    if (!dev) return;
    dev->op->close(dev->ctx);
    if (dev->plugin) dlclose(dev->plugin);
    free(dev);
}

/* The plugin beside the executable, in ../lib/grn-tools, or wherever dlopen looks; NULL if nowhere.
 */
static void *plugin_load(void)
{
    char exe[3072], path[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = 0;
        char *slash = strrchr(exe, '/');
        if (slash) *slash = 0;
        static const char *const place[] = { "%s/" PLUGIN, "%s/../lib/grn-tools/" PLUGIN };
        for (int i = 0; i < 2; i++) {
            snprintf(path, sizeof path, place[i], exe);
            if (access(path, R_OK) == 0) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    }
    return dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
}

/* Opens CUDA device `index` through the plugin; every failure is GRN_EDEVICE with the reason. */
static grn_status cuda_open(grn_dev_t **dev, int index)
{
    grn_status rc = GRN_OK;
    grn_dev_t *d = NULL;
    grn_plugin_open_fn open_fn = NULL;
    void *plugin = plugin_load();
    *dev = NULL;
    if (!plugin) {
        const char *why = dlerror();
        int absent = !why || strstr(why, "cannot open shared object file") != NULL;
        return grn_err(GRN_EDEVICE, "no CUDA device: %s",
                       absent ? "plugin " PLUGIN " not found" : why);
    }
    *(void **)&open_fn = dlsym(plugin, GRN_PLUGIN_OPEN);
    if (!open_fn)
        GRN_FAIL(GRN_EDEVICE, "no CUDA device: plugin " PLUGIN " has no " GRN_PLUGIN_OPEN);
    GRN_TRY(GRN_NEW(d, 1));
    GRN_TRY(open_fn(index, grn_err, &d->op, &d->ctx));
    if (d->op->abi != GRN_OP_ABI) {
        int abi = d->op->abi;
        d->op->close(d->ctx);
        GRN_FAIL(GRN_EDEVICE, "plugin " PLUGIN " is of version %d, this program needs %d", abi,
                 GRN_OP_ABI);
    }
    d->plugin = plugin;
    *dev = d;
end:
    if (rc) {
        free(d);
        dlclose(plugin);
    }
    return rc;
}

grn_status grn_dev_open(grn_dev_t **dev, const char *spec, grn_par_t *pool)
{
    int64_t index = 0;
    *dev = NULL;
    if (strcmp(spec, "cpu") == 0) return grn_dev_cpu(dev, pool);
    if (strcmp(spec, "auto") == 0) {
        char why[120];
        if (cuda_open(dev, 0) == GRN_OK) {
            snprintf((*dev)->note, sizeof(*dev)->note, "auto: CUDA device found");
            return GRN_OK;
        }
        snprintf(why, sizeof why, "%s", grn_err_msg());
        grn_status rc = grn_dev_cpu(dev, pool);
        if (rc == GRN_OK) snprintf((*dev)->note, sizeof(*dev)->note, "auto: %s", why);
        return rc;
    }
    if (strncmp(spec, "cuda", 4) != 0 || (spec[4] != 0 && spec[4] != ':') ||
        (spec[4] == ':' &&
         (grn_parse_i64(spec + 5, &index) != GRN_OK || index < 0 || index > 1023)))
        return grn_err(GRN_EUSAGE, "device '%s' is none of auto, cpu, cuda, cuda:N", spec);
    return cuda_open(dev, (int)index);
}

/* ---- buffers ---- */

grn_status grn_dev_bytes(grn_dev_t *dev, void **p, size_t n, size_t size)
{
    *p = NULL;
    if (size && n > SIZE_MAX / 2 / size)
        return grn_err(GRN_ENOMEM, "device buffer of %zu times %zu bytes", n, size);
    return GRN_OP(dev, alloc, p, n * size);
}

grn_status grn_dev_real(grn_dev_t *dev, grn_real_t **p, size_t n)
{
    void *q;
    grn_status rc = grn_dev_bytes(dev, &q, n, dev->op->real_size);
    *p = q;
    return rc;
}

void grn_dev_free(grn_dev_t *dev, void *p)
{
    if (p) dev->op->free(dev->ctx, p);
}

grn_status grn_dev_upload(grn_dev_t *dev, void *dst_d, const void *src_h, size_t bytes)
{
    return GRN_OP(dev, upload, dst_d, src_h, bytes);
}

grn_status grn_dev_download(grn_dev_t *dev, void *dst_h, const void *src_d, size_t bytes)
{
    return GRN_OP(dev, download, dst_h, src_d, bytes);
}

grn_status grn_dev_copy(grn_dev_t *dev, grn_real_t *dst, const grn_real_t *src, size_t n)
{
    return GRN_OP(dev, copy, dst, src, n * dev->op->real_size);
}

grn_status grn_dev_zero(grn_dev_t *dev, grn_real_t *dst, size_t n)
{
    return GRN_OP(dev, zero, dst, n * dev->op->real_size);
}

grn_status grn_dev_sync(grn_dev_t *dev)
{
    return dev->op->sync ? dev->op->sync(dev->ctx) : GRN_OK;
}

grn_status grn_dev_put(grn_dev_t *dev, grn_real_t *dst, const float *src_h, size_t n)
{
    if (dev->op->real_size == sizeof(float))
        return grn_dev_upload(dev, dst, src_h, n * sizeof(float));
    double *t;
    grn_status rc = GRN_NEW_RAW(t, n);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) t[i] = src_h[i];
    rc = grn_dev_upload(dev, dst, t, n * sizeof(double));
    free(t);
    return rc;
}

grn_status grn_dev_get(grn_dev_t *dev, float *dst_h, const grn_real_t *src, size_t n)
{
    if (dev->op->real_size == sizeof(float))
        return grn_dev_download(dev, dst_h, src, n * sizeof(float));
    double *t;
    grn_status rc = GRN_NEW_RAW(t, n);
    if (rc) return rc;
    rc = grn_dev_download(dev, t, src, n * sizeof(double));
    for (size_t i = 0; !rc && i < n; i++) dst_h[i] = (float)t[i];
    free(t);
    return rc;
}

grn_status grn_dev_put_f64(grn_dev_t *dev, grn_real_t *dst, const double *src_h, size_t n)
{
    if (dev->op->real_size == sizeof(double))
        return grn_dev_upload(dev, dst, src_h, n * sizeof(double));
    float *t;
    grn_status rc = GRN_NEW_RAW(t, n);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) t[i] = (float)src_h[i];
    rc = grn_dev_upload(dev, dst, t, n * sizeof(float));
    free(t);
    return rc;
}

grn_status grn_dev_get_f64(grn_dev_t *dev, double *dst_h, const grn_real_t *src, size_t n)
{
    if (dev->op->real_size == sizeof(double))
        return grn_dev_download(dev, dst_h, src, n * sizeof(double));
    float *t;
    grn_status rc = GRN_NEW_RAW(t, n);
    if (rc) return rc;
    rc = grn_dev_download(dev, t, src, n * sizeof(float));
    for (size_t i = 0; !rc && i < n; i++) dst_h[i] = t[i];
    free(t);
    return rc;
}
