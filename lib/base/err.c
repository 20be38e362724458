#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MSG_CAP 4096
static _Thread_local char message[MSG_CAP];

grn_status grn_err(grn_status code, const char *fmt, ...)
{
    char tmp[MSG_CAP]; /* the arguments may point into the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    memcpy(message, tmp, sizeof message);
    return code;
}

grn_status grn_err_prefix(grn_status code, const char *fmt, ...)
{
    char tmp[MSG_CAP];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= (int)sizeof tmp) return code;
    size_t room = sizeof tmp - (size_t)n - 1, len = strlen(message);
    if (room > 2) {
        memcpy(tmp + n, ": ", 2);
        if (len > room - 2) len = room - 2;
        memcpy(tmp + n + 2, message, len);
        tmp[(size_t)n + 2 + len] = 0;
    }
    memcpy(message, tmp, sizeof message);
    return code;
}

const char *grn_err_msg(void)
{
    return message;
}

int grn_err_exit(grn_status code)
{
    return code == GRN_OK ? 0 : code == GRN_EUSAGE ? 2 : code == GRN_EEMPTY ? 3 : 1;
}
