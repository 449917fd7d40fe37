package main

// A small view of libgenmod for Go, over cgo. CGO_CFLAGS=-I<include> and CGO_LDFLAGS=-L<folder>
// say where header and library lie if they are not installed.
//
// A Context serves one goroutine at a time; a Model any number, each with a Context of its own.
// The error text belongs to the context and is copied out right after the call, so that it does
// not matter that Go moves goroutines between threads.

/*
#cgo LDFLAGS: -lgenmod -lm
#include <stdint.h>
#include <stdlib.h>
#include <genmod/genmod.h>

extern int32_t goProgress(uintptr_t user, gm_progress *progress);

static int32_t tell(void *user, const gm_progress *progress)
{
    return goProgress(*(uintptr_t *)user, (gm_progress *)progress);
}

// The structure is made in C, so that Go keeps no pointers of its own in it.
static gm_status fit(gm_context *ctx, const char *family, const gm_dataset *rows,
                     const gm_options *options, const gm_optimizer *optimizer, uintptr_t user,
                     gm_model **model)
{
    gm_fit_config config = {sizeof config, rows, NULL, options, optimizer, NULL, NULL};
    if (user) {
        config.progress = tell;
        config.progress_user = &user;
    }
    return gm_fit_with(ctx, family, &config, model);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"strconv"
	"strings"
	"unsafe"
)

// Error is a call that failed: the status code and the library's text.
type Error struct {
	Code int
	Text string
}

func (e *Error) Error() string { return e.Text }

const (
	Label = C.GM_ROLE_LABEL
	Range = C.GM_E_RANGE
)

func Version() string { return C.GoString(C.gm_version()) }

// Context is what one goroutine works with.
type Context struct{ p *C.gm_context }

func NewContext() (*Context, error) {
	c := &Context{}
	if code := C.gm_context_create(nil, &c.p); code != 0 {
		return nil, &Error{int(code), C.GoString(C.gm_status_text(code))}
	}
	runtime.SetFinalizer(c, func(c *Context) { C.gm_context_free(c.p) })
	return c, nil
}

// Set changes a setting, such as threads or kernels.
func (c *Context) Set(name, value string) error {
	n, v := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(v))
	return c.check(C.gm_context_set_text(c.p, n, v))
}

func (c *Context) check(code C.gm_status) error {
	defer runtime.KeepAlive(c)
	if code == 0 {
		return nil
	}
	var kept C.gm_status
	size := C.gm_context_error(c.p, nil, 0, &kept)
	if kept != code {
		return &Error{int(code), C.GoString(C.gm_status_text(code))}
	}
	text := make([]byte, size+1)
	C.gm_context_error(c.p, (*C.char)(unsafe.Pointer(&text[0])), size+1, nil)
	return &Error{int(code), string(text[:size])}
}

// Options are names with values: ints, floats, bools, strings, or []int.
type Options map[string]any

func asText(value any) string {
	if list, is := value.([]int); is {
		parts := make([]string, len(list))
		for i, v := range list {
			parts[i] = strconv.Itoa(v)
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(value)
}

// bag makes the C form, which the caller frees.
func (c *Context) bag(options Options) (*C.gm_options, error) {
	var p *C.gm_options
	if err := c.check(C.gm_options_create(c.p, &p)); err != nil {
		return nil, err
	}
	for name, value := range options {
		n, v := C.CString(name), C.CString(asText(value))
		err := c.check(C.gm_options_set_text(c.p, p, n, v))
		C.free(unsafe.Pointer(n))
		C.free(unsafe.Pointer(v))
		if err != nil {
			C.gm_options_free(p)
			return nil, err
		}
	}
	return p, nil
}

// Option is a row of a table of options.
type Option struct{ Name, Default, Range, Help string }

// Options lists those of a family, an optimizer, a call, "fit", "context" or "csv".
func (c *Context) Options(owner string) ([]Option, error) {
	o := C.CString(owner)
	defer C.free(unsafe.Pointer(o))
	var rows []Option
	for {
		row := C.gm_option_info{struct_size: C.sizeof_gm_option_info}
		code := C.gm_option_at(c.p, o, C.int32_t(len(rows)), &row)
		if code == C.GM_E_RANGE {
			return rows, nil
		}
		if err := c.check(code); err != nil {
			return nil, err
		}
		rows = append(rows, Option{C.GoString(row.name), C.GoString(row.default_value),
			C.GoString(row._range), C.GoString(row.help)})
	}
}

// Dataset is a table of rows.
type Dataset struct{ p *C.gm_dataset }

func newDataset(p *C.gm_dataset) *Dataset {
	d := &Dataset{p}
	runtime.SetFinalizer(d, func(d *Dataset) { C.gm_dataset_free(d.p) })
	return d
}

func (c *Context) ReadFile(path string) (*Dataset, error) {
	n := C.CString(path)
	defer C.free(unsafe.Pointer(n))
	var p *C.gm_dataset
	if err := c.check(C.gm_dataset_from_file(c.p, n, nil, &p)); err != nil {
		return nil, err
	}
	return newDataset(p), nil
}

// FromRows copies rows of d numbers each: C must not keep pointers into Go's memory.
func (c *Context) FromRows(x []float64, d int) (*Dataset, error) {
	var p *C.gm_dataset
	n := 0
	if d > 0 {
		n = len(x) / d
	}
	code := C.gm_dataset_from_f64(c.p, reals(x), C.int64_t(n), C.int64_t(d), 0, &p)
	if err := c.check(code); err != nil {
		return nil, err
	}
	return newDataset(p), nil
}

func (d *Dataset) Rows() int    { return int(C.gm_dataset_row_count(d.p)) }
func (d *Dataset) Columns() int { return int(C.gm_dataset_column_count(d.p)) }

func (d *Dataset) WithRole(c *Context, column string, role int) (*Dataset, error) {
	defer runtime.KeepAlive(d)
	n := C.CString(column)
	defer C.free(unsafe.Pointer(n))
	var p *C.gm_dataset
	i := C.gm_dataset_find_column(d.p, n)
	if err := c.check(C.gm_dataset_with_role(c.p, d.p, i, C.int32_t(role), &p)); err != nil {
		return nil, err
	}
	return newDataset(p), nil
}

// Split gives the rest, and the fraction that the seed draws.
func (d *Dataset) Split(c *Context, fraction float64, seed uint64) (*Dataset, *Dataset, error) {
	defer runtime.KeepAlive(d)
	var first, second *C.gm_dataset
	code := C.gm_dataset_split(c.p, d.p, C.double(fraction), C.uint64_t(seed), &first, &second)
	if err := c.check(code); err != nil {
		return nil, nil, err
	}
	return newDataset(first), newDataset(second), nil
}

// Progress is how a fit stands.
type Progress struct {
	Step, Steps int64
	Loss, Valid float64
}

//export goProgress
func goProgress(user C.uintptr_t, p *C.gm_progress) C.int32_t {
	tell := cgo.Handle(user).Value().(func(Progress) bool)
	at := Progress{int64(p.step), int64(p.steps), float64(p.loss), float64(p.valid)}
	if tell(at) {
		return 0
	}
	return 1
}

// Model is a trained model.
type Model struct{ p *C.gm_model }

func newModel(p *C.gm_model) *Model {
	m := &Model{p}
	runtime.SetFinalizer(m, func(m *Model) { C.gm_model_free(m.p) })
	return m
}

// Fit fits a family to rows by Adam with options of its own; tell (may be nil) hears how it stands
// and stops it with false.
func (c *Context) Fit(family string, rows *Dataset, options, adam Options,
	tell func(Progress) bool) (*Model, error) {
	defer runtime.KeepAlive(rows)
	f, a := C.CString(family), C.CString("adam")
	defer C.free(unsafe.Pointer(f))
	defer C.free(unsafe.Pointer(a))
	rule, err := c.bag(adam)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(rule)
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	var optimizer *C.gm_optimizer
	if err := c.check(C.gm_optimizer_create(c.p, a, rule, &optimizer)); err != nil {
		return nil, err
	}
	defer C.gm_optimizer_free(optimizer)
	var user C.uintptr_t
	if tell != nil {
		h := cgo.NewHandle(tell)
		defer h.Delete()
		user = C.uintptr_t(h)
	}
	var p *C.gm_model
	if err := c.check(C.fit(c.p, f, rows.p, how, optimizer, user, &p)); err != nil {
		return nil, err
	}
	return newModel(p), nil
}

func (c *Context) Load(path string) (*Model, error) {
	n := C.CString(path)
	defer C.free(unsafe.Pointer(n))
	var p *C.gm_model
	if err := c.check(C.gm_model_load(c.p, n, &p)); err != nil {
		return nil, err
	}
	return newModel(p), nil
}

func (m *Model) Save(c *Context, path string) error {
	defer runtime.KeepAlive(m)
	n := C.CString(path)
	defer C.free(unsafe.Pointer(n))
	return c.check(C.gm_model_save(c.p, m.p, n))
}

func (m *Model) Columns() int { return int(C.gm_model_column_count(m.p)) }

func reals(x []float64) *C.double {
	if len(x) == 0 {
		return nil
	}
	return (*C.double)(unsafe.Pointer(&x[0]))
}

// LogProb gives log p of each row in nats.
func (m *Model) LogProb(c *Context, x []float64, options Options) ([]float64, error) {
	defer runtime.KeepAlive(m)
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	logp := make([]float64, len(x)/m.Columns())
	code := C.gm_model_log_prob_f64(c.p, m.p, reals(x), C.int64_t(len(logp)), 0, how, reals(logp))
	return logp, c.check(code)
}

// LogProbRows does so for the rows of a dataset.
func (m *Model) LogProbRows(c *Context, rows *Dataset, options Options) ([]float64, error) {
	defer runtime.KeepAlive(m)
	defer runtime.KeepAlive(rows)
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	logp := make([]float64, rows.Rows())
	return logp, c.check(C.gm_model_log_prob_rows(c.p, m.p, rows.p, nil, how, reals(logp), nil))
}

// Sample draws n rows, one after the other; the options hold the seed.
func (m *Model) Sample(c *Context, n int, options Options) ([]float64, error) {
	defer runtime.KeepAlive(m)
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	x := make([]float64, n*m.Columns())
	return x, c.check(C.gm_model_sample_f64(c.p, m.p, C.int64_t(n), nil, how, reals(x)))
}
