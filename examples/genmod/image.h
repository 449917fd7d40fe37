/* Rows of pixels as sheets of pictures. */
#ifndef TOOL_IMAGE_H
#define TOOL_IMAGE_H

#include <stdint.h>

typedef struct image_sheet {
    int64_t height, width; /* of one picture, in pixels of the data */
    double low, high;      /* values shown black and white */
    int64_t across;        /* pictures in a row; 0: about as many as there are rows of them */
    int64_t scale;         /* pixels of the sheet for one of the data; 0: pictures of about 40 */
    int ink;               /* the other way round: low is white paper, high is black ink */
} image_sheet;

/* Writes n pictures of height * width values each as a PNG file. Returns a status of the tool. */
int image_save_sheet(const image_sheet *sheet, int64_t n, const double *x, const char *path);

#endif
