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
LIB_FLAGS = $(C_FLAGS) $(INCLUDES) -DGM_BUILDING $(DEFINES) $(BLAS_CFLAGS) $(COVERAGE)
PROGRAM_FLAGS = $(C_FLAGS) $(INCLUDES) $(COVERAGE)
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
EXAMPLE_SRC := $(sort $(call sources,examples/*.c))
EXAMPLE_CXX := $(sort $(call sources,examples/*.cpp))
BENCH_SRC := $(sort $(call sources,test/bench/*.c))
TEST_SRC := $(sort $(call sources,test/test_*.c))
SUPPORT_SRC := $(sort $(call sources,test/support*.c))
HEADERS := $(sort $(call sources,include/genmod/*.h include/genmod/*.hpp))
MANUAL := $(sort $(call sources,doc/*.1 doc/*.3))

LIB_OBJ := $(call objects,$(LIB_SRC))
TOOL_OBJ := $(call objects,$(TOOL_SRC))
EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(EXAMPLE_SRC))
TESTS := $(patsubst test/%.c,$(B)/test/%,$(TEST_SRC))
TOOL := $(if $(TOOL_SRC),$(B)/genmod)
BENCH := $(if $(BENCH_SRC),$(B)/bench)
ifneq ($(CXX),false)
EXAMPLES += $(patsubst examples/%.cpp,$(B)/examples/%,$(EXAMPLE_CXX))
endif
LIBRARIES := $(B)/libgenmod.a $(if $(filter yes,$(SHARED)),$(B)/libgenmod.so)

.PHONY: all lib examples tests check check-asan check-tsan check-valgrind check-cross bench quality \
	demo doc abi map install uninstall dist distcheck coverage clean distclean help
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
	$(Q)$(CC) $(LIB_FLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: $(srcdir)/%.c config.mak
	$(say) CC $*.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_FLAGS) $(if $(filter test/%,$*),-I$(srcdir)/test $(CHECK_CFLAGS)) -MMD -MP -c -o $@ $<

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

$(B)/bench: $(call objects,$(BENCH_SRC)) $(B)/libgenmod.a
	$(say) LINK $@
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(B)/examples/%: $(B)/obj/examples/%.o $(B)/libgenmod.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $< $(B)/libgenmod.a $(PROGRAM_LIBS)

$(B)/examples/%: $(srcdir)/examples/%.cpp $(B)/libgenmod.a
	$(say) C++ $@
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXX_FLAGS) $(LINK_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libgenmod.a $(PROGRAM_LIBS)

$(B)/test/%: $(B)/obj/test/%.o $(call objects,$(SUPPORT_SRC)) $(B)/libgenmod.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(filter %.o,$^) $(B)/libgenmod.a $(CHECK_LIBS) $(PROGRAM_LIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

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
	MAKE='$(MAKE)' SHARED='$(SHARED)' SANITIZERS='$(SANITIZERS)' CROSS='$(CROSS)' EMULATOR='$(EMULATOR)' \
	OUR_CFLAGS='$(OUR_CFLAGS)' PROGRAM_LIBS='$(PROGRAM_LIBS)' WRAPPER='$(WRAPPER)'

tests: $(TESTS)
check: all tests examples
	@$(TEST_ENVIRONMENT) $(srcdir)/test/run $(RUN_ONLY)

clean:
	rm -rf $(B)
distclean: clean
	rm -f config.mak
	[ ! -h Makefile ] || rm -f Makefile
