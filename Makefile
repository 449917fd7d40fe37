# The build of libgenmod. ./configure writes config.mak, which says how; "make help" lists what.
# Everything made goes under build/.

srcdir = .
-include config.mak
ifeq ($(wildcard config.mak),)
ifneq ($(filter-out help distclean clean,$(or $(MAKECMDGOALS),all)),)
$(error Run ./configure first)
endif
endif

VERSION := $(shell sed -n 's/^.define GM_VERSION "\(.*\)"/\1/p' $(srcdir)/include/genmod/base.h)
B = build
SO = $(B)/libgenmod.so.0

# ---- Flags: the user's first, then ours, which are part of what the library computes -----------

INCLUDES = -I$(srcdir)/include -I$(srcdir)/lib
C_FLAGS = $(CPPFLAGS) $(CFLAGS) -std=c11 $(OUR_CFLAGS) $(WARNINGS) $(THREAD_FLAGS) $(SANITIZE)
LIB_FLAGS = $(C_FLAGS) $(SMALL_FLAGS) $(LIB_WARNINGS) $(INCLUDES) -DGM_BUILDING $(DEFINES) $(BLAS_CFLAGS) $(COVERAGE)
PROGRAM_FLAGS = $(C_FLAGS) $(INCLUDES) $(COVERAGE)
TEST_FLAGS = $(TEST_WARNINGS) -I$(srcdir)/test $(CHECK_CFLAGS)
CXX_FLAGS = $(CPPFLAGS) $(CXXFLAGS) -std=c++17 -Wall -Wextra $(THREAD_FLAGS) $(SANITIZE) -I$(srcdir)/include
# The driver would link code that changes the floating-point mode for these.
LINK_FLAGS = $(filter-out -Ofast -ffast-math -funsafe-math-optimizations,$(CFLAGS)) $(LDFLAGS) \
	$(THREAD_FLAGS) $(SANITIZE) $(COVERAGE)
LIB_LIBS = $(BLAS_LIBS) $(ZLIB_LIBS) $(LIBM) $(LIBS)
PROGRAM_LIBS = $(LIB_LIBS) $(filter-out $(LIBM),-lm)

ifeq ($(V),)
say = @printf '  %-5s %s\n'
Q = @
else
say = @:
endif

# ---- What there is -----------------------------------------------------------------------------

sources = $(patsubst $(srcdir)/%,%,$(wildcard $(addprefix $(srcdir)/,$(1))))
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB_SRC := $(sort $(call sources,lib/*/*.c))
TOOL_SRC := $(sort $(call sources,examples/genmod/*.c))
DEMO_SRC := $(sort $(call sources,examples/demo/*.c))
EXAMPLE_SRC := $(sort $(call sources,examples/*.c))
EXAMPLE_CXX := $(sort $(call sources,examples/cpp/*.cpp))
BENCH_SRC := $(sort $(call sources,test/bench/*.c))
TEST_SRC := $(sort $(call sources,test/test_*.c))
SUPPORT_SRC := $(sort $(call sources,test/support*.c))
HEADERS := $(sort $(call sources,include/genmod/*.h include/genmod/*.hpp))
MANUAL := $(sort $(call sources,doc/*.1 doc/man/*.3 doc/man/*.7))

LIB_OBJ := $(call objects,$(LIB_SRC))
TOOL_OBJ := $(call objects,$(TOOL_SRC))
# The demo's page is written by a program that shares the tool's files.
DEMO_OBJ := $(call objects,$(DEMO_SRC)) $(filter-out %/main.o,$(TOOL_OBJ))
EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(EXAMPLE_SRC))
TESTS := $(patsubst test/%.c,$(B)/test/%,$(TEST_SRC))
TOOL := $(if $(TOOL_SRC),$(B)/genmod)
BENCH := $(if $(BENCH_SRC),$(B)/bench)
ifneq ($(CXX),false)
EXAMPLES += $(patsubst examples/%.cpp,$(B)/examples/%,$(EXAMPLE_CXX))
endif
LIBRARIES := $(B)/libgenmod.a $(if $(filter yes,$(SHARED)),$(B)/libgenmod.so)

.PHONY: all lib examples tests check check-asan check-tsan check-valgrind check-cross bench quality \
	demo doc map abi manual guide abi-compare install uninstall dist distcheck coverage clean distclean help
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

all: lib $(TOOL)
lib: $(LIBRARIES)
examples: $(EXAMPLES)

# ---- Compile and link ----------------------------------------------------------------------------

$(B)/obj/lib/%.o: $(srcdir)/lib/%.c config.mak
	$(say) CC lib/$*.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_FLAGS) $(if $(filter kernels/%,$*),,$(CALM_FLAGS)) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: $(srcdir)/%.c config.mak
	$(say) CC $*.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_FLAGS) $(if $(filter test/%,$*),$(TEST_FLAGS)) -MMD -MP -c -o $@ $<

$(B)/libgenmod.a: $(LIB_OBJ)
	$(say) AR $@
	@rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(SO): $(LIB_OBJ) $(srcdir)/lib/genmod.map
	$(say) LINK $@
	$(Q)$(CC) -shared $(LINK_FLAGS) $(SO_FLAGS) $(MAP_FLAGS) -o $@ $(LIB_OBJ) $(LIB_LIBS)

$(B)/libgenmod.so: $(SO)
	@ln -sf libgenmod.so.0 $@

$(B)/genmod: $(TOOL_OBJ) $(B)/libgenmod.a
	$(say) LINK $@
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(TOOL_OBJ) $(B)/libgenmod.a $(PROGRAM_LIBS)

$(B)/demo-page: $(DEMO_OBJ) $(B)/libgenmod.a
	$(say) LINK $@
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(DEMO_OBJ) $(B)/libgenmod.a $(PROGRAM_LIBS)

$(B)/bench: $(call objects,$(BENCH_SRC)) $(B)/libgenmod.a
	$(say) LINK $@
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(B)/list-options: $(B)/obj/test/tools/list-options.o $(B)/libgenmod.a
	$(say) LINK $@
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(B)/examples/%: $(B)/obj/examples/%.o $(B)/libgenmod.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $< $(B)/libgenmod.a $(PROGRAM_LIBS)

# The work is the library's: -O0 halves what these take to compile.
$(B)/examples/%: $(srcdir)/examples/%.cpp $(B)/libgenmod.a
	$(say) C++ $@
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXX_FLAGS) -O0 $(LINK_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libgenmod.a $(PROGRAM_LIBS)

$(B)/test/%: $(B)/obj/test/%.o $(call objects,$(SUPPORT_SRC)) $(B)/libgenmod.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(filter %.o,$^) $(B)/libgenmod.a $(CHECK_LIBS) $(PROGRAM_LIBS)

-include $(shell find $(B)/obj $(B)/examples -name '*.d' 2>/dev/null)

# ---- Tests ---------------------------------------------------------------------------------------

# Check is looked for when it is needed, so that installing it does not ask for a new configure.
ifneq ($(filter check tests coverage check-valgrind $(B)/test/%,$(MAKECMDGOALS)),)
ifeq ($(origin CHECK_LIBS),undefined)
CHECK_LIBS := $(shell $(srcdir)/test/tools/find-check $(CC) $(CPPFLAGS) $(CHECK_CFLAGS) $(LINK_FLAGS))
ifeq ($(CHECK_LIBS),)
$(error make check needs Check: sudo apt-get install check)
endif
endif
endif

TEST_ENVIRONMENT = TIER='$(TIER)' SRCDIR='$(srcdir)' BUILD='$(B)' CC='$(CC)' CXX='$(CXX)' NM='$(NM)' \
	MAKE='$(MAKE)' SHARED='$(SHARED)' STATIC='$(STATIC)' SANITIZERS='$(SANITIZERS)' CROSS='$(CROSS)' \
	EMULATOR='$(EMULATOR)' WRAPPER='$(WRAPPER)' COVERAGE='$(COVERAGE)' OUR_CFLAGS='$(OUR_CFLAGS)' \
	PROGRAM_LIBS='$(PROGRAM_LIBS)'
configure = $(abspath $(srcdir))/configure -q

tests: $(TESTS) $(B)/list-options
check: all tests examples
	@$(TEST_ENVIRONMENT) $(srcdir)/test/run $(ONLY)

# Builds of their own, each in a directory under build/.
check-asan:
	@mkdir -p $(B)/asan
	cd $(B)/asan && $(configure) CC='$(CC)' CXX='$(CXX)' --enable-sanitizers=address,undefined
	+$(MAKE) -C $(B)/asan check
# By clang where it is there: GCC 12's thread sanitizer breaks AVX-512 code that lists non-zeros (wrong
# products, wild addresses), which its other builds and clang's sanitizers compile rightly.
check-tsan:
	@mkdir -p $(B)/tsan
	cd $(B)/tsan && $(configure) CC='$(or $(shell command -v clang),$(CC))' CXX='$(CXX)' --enable-sanitizers=thread
	+$(MAKE) -C $(B)/tsan check
check-valgrind: all tests
	@$(TEST_ENVIRONMENT) TIER=quick CK_FORK=no TEST_SLOW=1 TEST_TIMEOUT=3600 \
		WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
		$(srcdir)/test/run $(ONLY)

# The tests of other processors under qemu-user, with a small stand-in for Check, of which Debian
# has no cross package.
CROSS_HOSTS = aarch64-linux-gnu s390x-linux-gnu
# Statistics of long fits say nothing more there, and take an hour.
CROSS_SKIP = test_flow
CROSS_TESTS = $(filter-out $(CROSS_SKIP),$(notdir $(TESTS)))
check-cross:
	+@for host in $(CROSS_HOSTS); do \
		cpu=$${host%%-*}; \
		for tool in $$host-gcc qemu-$$cpu; do \
			command -v $$tool >/dev/null || { \
				echo "make check-cross needs $$tool: sudo apt-get install gcc-$$host qemu-user"; exit 1; }; \
		done; \
		mkdir -p $(B)/$$host && (cd $(B)/$$host && $(configure) --host=$$host --disable-shared) && \
		echo "$$host:" && $(MAKE) --no-print-directory -C $(B)/$$host check TIER=quick \
			CHECK_CFLAGS=-I$(abspath $(srcdir))/test/cross CHECK_LIBS= CK_FORK=no TEST_SLOW=1 \
			EMULATOR="qemu-$$cpu -L /usr/$$host" ONLY='$(or $(ONLY),$(CROSS_TESTS))' || exit 1; \
	done

coverage:
	@mkdir -p $(B)/coverage
	cd $(B)/coverage && $(configure) CC='$(CC)' CXX='$(CXX)' CFLAGS='-O0 -g'
	+$(MAKE) -C $(B)/coverage check COVERAGE=--coverage TIER='$(or $(TIER),quick)'
	@cd $(B)/coverage && $(abspath $(srcdir))/test/tools/coverage build/obj/lib

bench: $(BENCH)
	$(BENCH) $(BENCH_ARGUMENTS)
quality: all
	GENMOD='$(abspath $(B))/genmod' BUILD='$(abspath $(B))' $(srcdir)/test/quality/run
demo: all $(B)/demo-page
	@GENMOD=$(B)/genmod DEMO_PAGE=$(B)/demo-page SRCDIR='$(srcdir)' $(srcdir)/examples/demo/make-demo $(B)/demo

# ---- What is written from the headers --------------------------------------------------------------

map:
	$(srcdir)/test/tools/make-map $(srcdir)/include >$(srcdir)/lib/genmod.map.new
	mv $(srcdir)/lib/genmod.map.new $(srcdir)/lib/genmod.map
abi:
	$(srcdir)/test/tools/make-abi $(srcdir)/include >$(srcdir)/doc/abi.txt.new
	mv $(srcdir)/doc/abi.txt.new $(srcdir)/doc/abi.txt
# Compares the compiled interface with that of another build: make abi-compare OLD=/usr/lib/libgenmod.so.0
abi-compare: $(SO)
	abidiff --headers-dir2 $(srcdir)/include $(OLD) $(SO)
# The manual's pages of sections 3 and 7, from the comments of the headers and the tables of options.
manual: $(B)/list-options
	$(B)/list-options >$(B)/options.txt
	rm -f $(srcdir)/doc/man/*.[37]
	$(srcdir)/test/tools/make-manual $(srcdir) $(B)/options.txt $(srcdir)/doc/man
# The manual as HTML; index.html is the overview, which lists every page and name.
HTML := $(addprefix $(B)/doc/,$(addsuffix .html,$(notdir $(MANUAL))))
# The figures of the guide, each drawn by the example of its name.
guide: examples
	@cd $(srcdir) && for name in $$(sed -n 's/.*](\([a-z_]*\)\.svg).*/\1/p' doc/guide/*.md | sort -u); do \
		echo "doc/guide/$$name.svg" && \
		$(abspath $(B))/examples/$$name doc/guide/$$name.svg >/dev/null || exit 1; \
	done
doc: $(HTML) $(B)/doc/manual.css
	cp $(B)/doc/genmod.3.html $(B)/doc/index.html
define HTML_RULE
$(B)/doc/$(notdir $(1)).html: $(srcdir)/$(1) $(srcdir)/doc/man/links $(srcdir)/test/tools/make-html
	@mkdir -p $$(@D)
	$$(srcdir)/test/tools/make-html $$(srcdir)/doc/man/links $$< >$$@
endef
$(foreach page,$(MANUAL),$(eval $(call HTML_RULE,$(page))))
$(B)/doc/manual.css: $(srcdir)/doc/man/manual.css
	@mkdir -p $(@D)
	cp $< $@

# ---- Installation ----------------------------------------------------------------------------------

INSTALL = install
INSTALL_PROGRAM = $(INSTALL) -m 755
INSTALL_DATA = $(INSTALL) -m 644
INSTALLED_DOC := $(sort $(call sources,README COPYING doc/*.md))
INSTALLED_GUIDE := $(sort $(call sources,doc/guide/*.md doc/guide/*.svg))
MAN_SECTIONS = 1 3 7
# man finds each function and type by its own name: a line of this file is a name and its page.
MAN_LINKS = $(srcdir)/doc/man/links
pcdir = $(libdir)/pkgconfig
PC_PRIVATE = $(if $(BLAS_PACKAGE),,$(BLAS_LIBS)) $(ZLIB_LIBS) $(LIBM) $(THREAD_FLAGS) $(LIBS)

$(B)/genmod.pc: $(srcdir)/genmod.pc.in config.mak
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@exec_prefix@|$(exec_prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@includedir@|$(includedir)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@REQUIRES_PRIVATE@|$(BLAS_PACKAGE)|' -e 's|@LIBS_PRIVATE@|$(strip $(PC_PRIVATE))|' \
		-e 's|@STATIC_ONLY@|$(if $(filter yes,$(SHARED)),,$(strip $(PC_PRIVATE)))|' -e 's| *$$||' $< >$@

install: all $(B)/genmod.pc
	$(INSTALL) -d $(DESTDIR)$(includedir)/genmod $(DESTDIR)$(pcdir) $(DESTDIR)$(docdir)/guide
	$(INSTALL_DATA) $(addprefix $(srcdir)/,$(HEADERS)) $(DESTDIR)$(includedir)/genmod
	$(INSTALL_DATA) $(B)/genmod.pc $(DESTDIR)$(pcdir)
	$(INSTALL_DATA) $(addprefix $(srcdir)/,$(INSTALLED_DOC)) $(DESTDIR)$(docdir)
	$(INSTALL_DATA) $(addprefix $(srcdir)/,$(INSTALLED_GUIDE)) $(DESTDIR)$(docdir)/guide
ifneq ($(STATIC)$(SHARED),noyes)
	$(INSTALL_DATA) $(B)/libgenmod.a $(DESTDIR)$(libdir)
endif
ifeq ($(SHARED),yes)
	$(INSTALL_PROGRAM) $(SO) $(DESTDIR)$(libdir)/libgenmod.so.$(VERSION)
	ln -sf libgenmod.so.$(VERSION) $(DESTDIR)$(libdir)/libgenmod.so.0
	ln -sf libgenmod.so.0 $(DESTDIR)$(libdir)/libgenmod.so
endif
ifneq ($(TOOL),)
	$(INSTALL) -d $(DESTDIR)$(bindir)
	$(INSTALL_PROGRAM) $(B)/genmod $(DESTDIR)$(bindir)
endif
	$(INSTALL) -d $(foreach n,$(MAN_SECTIONS),$(DESTDIR)$(mandir)/man$(n))
	$(foreach n,$(MAN_SECTIONS),$(INSTALL_DATA) $(addprefix $(srcdir)/,$(filter %.$(n),$(MANUAL))) \
		$(DESTDIR)$(mandir)/man$(n) &&) :
	cd $(DESTDIR)$(mandir)/man3 && grep '^gm_' $(abspath $(MAN_LINKS)) | while read -r name page; do \
		ln -sf "$$page.3" "$$name.3" || exit 1; done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(includedir)/genmod/,$(notdir $(HEADERS))) $(DESTDIR)$(pcdir)/genmod.pc
	rm -f $(addprefix $(DESTDIR)$(docdir)/guide/,$(notdir $(INSTALLED_GUIDE)))
	rm -f $(addprefix $(DESTDIR)$(docdir)/,$(notdir $(INSTALLED_DOC))) $(DESTDIR)$(libdir)/libgenmod.a
	rm -f $(addprefix $(DESTDIR)$(libdir)/libgenmod.so,.$(VERSION) .0) $(DESTDIR)$(libdir)/libgenmod.so
	rm -f $(DESTDIR)$(bindir)/genmod
	rm -f $(foreach n,$(MAN_SECTIONS),$(addprefix $(DESTDIR)$(mandir)/man$(n)/,$(notdir $(filter %.$(n),$(MANUAL)))))
	-cd $(DESTDIR)$(mandir)/man3 && sed -n 's/^\(gm_[^ ]*\) .*/\1.3/p' $(abspath $(MAN_LINKS)) | xargs rm -f
	-rmdir $(DESTDIR)$(includedir)/genmod $(DESTDIR)$(docdir)/guide $(DESTDIR)$(docdir) 2>/dev/null

# ---- Distribution ----------------------------------------------------------------------------------

DIST = libgenmod-$(VERSION)
DIST_ITEMS = Makefile configure README COPYING genmod.pc.in .clang-format .ci lib include examples test doc

dist:
	@rm -rf $(B)/$(DIST)
	@mkdir -p $(B)/$(DIST)
	@cd $(srcdir) && { git ls-files --error-unmatch Makefile >/dev/null 2>&1 && git ls-files || \
		find $(wildcard $(addprefix $(srcdir)/,$(DIST_ITEMS)):$(srcdir)/%=%) -type f \
			! -name '*.pyc' ! -name '*.o' ! -name '*~'; } | grep -vx .gitignore | sort >$(abspath $(B))/dist.list
	@cd $(srcdir) && tar -cf - -T $(abspath $(B))/dist.list | (cd $(abspath $(B))/$(DIST) && tar -xf -)
	@cd $(B) && tar -cf - $(DIST) | gzip -9n >$(DIST).tar.gz && rm -rf $(DIST) dist.list
	@echo $(B)/$(DIST).tar.gz

# The tarball by itself: configured and built in another directory, checked, installed, used by a
# program through pkg-config, uninstalled without a trace.
distcheck: dist
	+@MAKE='$(MAKE)' CC='$(CC)' CXX='$(CXX)' $(srcdir)/test/tools/distcheck $(B)/$(DIST).tar.gz $(B)/distcheck
	@echo "$(B)/$(DIST).tar.gz is ready"

# ---- The rest --------------------------------------------------------------------------------------

clean:
	rm -rf $(B)
distclean: clean
	rm -f config.mak
	[ ! -h Makefile ] || rm -f Makefile

help:
	@echo 'make                 the libraries and the tool, under build/'
	@echo 'make check           all tests; TIER=quick for fewer cases, ONLY="test_a test_b" for some'
	@echo 'make demo            learn handwritten digits, leave pictures and a page in build/demo/'
	@echo 'make bench           speed (BENCH_ARGUMENTS="--only NAME --threads N")'
	@echo 'make quality         what models learn from real data, against published figures'
	@echo 'make check-asan      the tests under address and undefined-behaviour sanitizers'
	@echo 'make check-tsan      the tests under the thread sanitizer'
	@echo 'make check-valgrind  the tests under valgrind'
	@echo 'make check-cross     the tests on AArch64 and s390x, under qemu-user'
	@echo 'make coverage        which lines the tests reach, by file'
	@echo 'make install         to prefix, with DESTDIR; make uninstall takes it away'
	@echo 'make dist            a tarball; make distcheck also builds, checks and installs from it'
	@echo 'make map abi         the version script and the ABI description, again from the headers'
	@echo 'make abi-compare OLD=LIB   with another libgenmod.so.0, by abidiff'
	@echo 'make manual          the manual pages of doc/man, again from the headers and the options (python3)'
	@echo 'make guide           the figures of doc/guide/, again from the examples'
	@echo 'make doc             the manual as HTML in build/doc/, by mandoc'
	@echo 'make clean           takes build/ away; make distclean also config.mak'
	@echo 'V=1 shows the commands.'
