// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main() of a fuzz target without a fuzzer: runs every file named, and
 * every file of every folder named. One TAP line for each of those.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t run_file(const char *path)
{
	static uint8_t buf[1 << 20];
	uint8_t *exact;
	size_t len;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	/* In an allocation as long as it is, so that a byte read behind it is seen. */
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, buf, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 1;
}

static size_t run_folder(const char *path)
{
	char one[4096];
	struct dirent *e;
	size_t num = 0;
	DIR *d = opendir(path);

	while (d && (e = readdir(d))) {
		snprintf(one, sizeof(one), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			num += run_file(one);
	}
	if (d)
		closedir(d);
	return num;
}

int main(int argc, char **argv)
{
	struct stat st;
	size_t num, none = 0;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		num = stat(argv[i], &st) ? 0 : S_ISDIR(st.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
		printf("%sok %d - %s: %zu inputs\n", num ? "" : "not ", i, argv[i], num);
		none += !num;
	}
	return none != 0;
}
