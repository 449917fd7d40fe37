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

static gm_status fit_auto(gm_context *ctx, const gm_dataset *rows, const gm_options *options,
                          gm_auto_report **report, gm_model **model)
{
    gm_auto_config config = {.struct_size = sizeof config, .rows = rows, .options = options};
    return gm_fit_auto(ctx, &config, report, model);
}

// Rows in Go's memory; what a call only reads, it leaves alone.
static gm_array rows_at(const double *x, int64_t n, const gm_model *model)
{
    gm_array a;
    gm_array_init(&a, GM_F64, (double *)x, n, gm_model_column_count(model));
    return a;
}

static gm_status log_prob_gradient(gm_context *ctx, const gm_model *model, const double *x,
                                   int64_t n, const gm_options *options, double *logp,
                                   double *gradient)
{
    gm_array a = rows_at(x, n, model), g = rows_at(gradient, n, model);
    return gm_model_log_prob_gradient(ctx, model, &a, NULL, options, logp, &g);
}

static gm_status log_prob_given(gm_context *ctx, const gm_model *model, const double *x, int64_t n,
                                const uint8_t *known, const gm_options *options, double *logp)
{
    gm_array a = rows_at(x, n, model);
    return gm_model_log_prob_given(ctx, model, &a, known, NULL, options, logp);
}

static gm_status impute(gm_context *ctx, const gm_model *model, const double *x, int64_t n,
                        const gm_options *options, double *y)
{
    gm_array a = rows_at(x, n, model), b = rows_at(y, n, model);
    return gm_model_impute(ctx, model, &a, NULL, options, &b);
}

static gm_status sample_given(gm_context *ctx, const gm_model *model, int64_t n,
                              const double *given, int64_t rows, const gm_options *options,
                              double *x)
{
    gm_array a = rows_at(given, rows, model), b = rows_at(x, n, model);
    return gm_model_sample_given(ctx, model, n, &a, NULL, options, &b);
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

// Fit fits a family to rows, by Adam with options of its own (nil: as they are, or a family that
// learns in one piece); tell (may be nil) hears how it stands and stops it with false.
func (c *Context) Fit(family string, rows *Dataset, options, adam Options,
	tell func(Progress) bool) (*Model, error) {
	defer runtime.KeepAlive(rows)
	f, a := C.CString(family), C.CString("adam")
	defer C.free(unsafe.Pointer(f))
	defer C.free(unsafe.Pointer(a))
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	var optimizer *C.gm_optimizer
	if adam != nil {
		rule, err := c.bag(adam)
		if err != nil {
			return nil, err
		}
		defer C.gm_options_free(rule)
		if err := c.check(C.gm_optimizer_create(c.p, a, rule, &optimizer)); err != nil {
			return nil, err
		}
		defer C.gm_optimizer_free(optimizer)
	}
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

// FitAnomaly fits a family for finding anomalies among rows that may hold some already; the options
// are those of "anomaly" and of the fit.
func (c *Context) FitAnomaly(family string, rows *Dataset, options Options) (*Model, error) {
	defer runtime.KeepAlive(rows)
	f := C.CString(family)
	defer C.free(unsafe.Pointer(f))
	how, err := c.bag(options)
	if err != nil {
		return nil, err
	}
	defer C.gm_options_free(how)
	var p *C.gm_model
	if err := c.check(C.gm_fit_anomaly(c.p, f, rows.p, how, &p)); err != nil {
		return nil, err
	}
	return newModel(p), nil
}

// Tried is a model that FitAuto tried: its held-out log density in nats a row, with the standard
// error, or why there is none.
type Tried struct {
	Rung        string
	Chosen      bool
	Mean, Error float64
	Why         string
}

// FitAuto gives the best of a ladder of families, and what was tried; the options are those of
// "auto".
func (c *Context) FitAuto(rows *Dataset, options Options) (*Model, []Tried, error) {
	defer runtime.KeepAlive(rows)
	how, err := c.bag(options)
	if err != nil {
		return nil, nil, err
	}
	defer C.gm_options_free(how)
	var report *C.gm_auto_report
	var p *C.gm_model
	if err := c.check(C.fit_auto(c.p, rows.p, how, &report, &p)); err != nil {
		return nil, nil, err
	}
	defer C.gm_auto_report_free(report)
	best, tried := newModel(p), []Tried{}
	for i := C.int64_t(0); i < C.gm_auto_report_count(report); i++ {
		row := C.gm_auto_row{struct_size: C.sizeof_gm_auto_row}
		if err := c.check(C.gm_auto_report_row(c.p, report, i, &row)); err != nil {
			return nil, nil, err
		}
		tried = append(tried, Tried{C.GoString(row.rung), row.chosen != 0, float64(row.mean),
			float64(row.error), C.GoString(row.why)})
	}
	return best, tried, nil
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

func (m *Model) rows(x []float64) (C.int64_t, error) {
	if len(x)%m.Columns() != 0 {
		return 0, &Error{C.GM_E_SHAPE, fmt.Sprintf("%d numbers are no rows of %d", len(x), m.Columns())}
	}
	return C.int64_t(len(x) / m.Columns()), nil
}

// ask calls C for rows x with options.
func (m *Model) ask(c *Context, x []float64, options Options,
	call func(n C.int64_t, how *C.gm_options) C.gm_status) error {
	defer runtime.KeepAlive(m)
	n, err := m.rows(x)
	if err != nil {
		return err
	}
	how, err := c.bag(options)
	if err != nil {
		return err
	}
	defer C.gm_options_free(how)
	return c.check(call(n, how))
}

// LogProbGradient gives log p of each row, and its gradient in x.
func (m *Model) LogProbGradient(c *Context, x []float64, options Options) (logp, gradient []float64,
	err error) {
	logp, gradient = make([]float64, len(x)/m.Columns()), make([]float64, len(x))
	err = m.ask(c, x, options, func(n C.int64_t, how *C.gm_options) C.gm_status {
		return C.log_prob_gradient(c.p, m.p, reals(x), n, how, reals(logp), reals(gradient))
	})
	return logp, gradient, err
}

// LogProbGiven gives log p of the columns that are not known, given those that are.
func (m *Model) LogProbGiven(c *Context, x []float64, known []bool, options Options) ([]float64,
	error) {
	if len(known) != m.Columns() {
		return nil, &Error{C.GM_E_SHAPE, "known has a truth value for each column"}
	}
	mask := make([]C.uint8_t, len(known))
	for j, k := range known {
		if k {
			mask[j] = 1
		}
	}
	logp := make([]float64, len(x)/m.Columns())
	return logp, m.ask(c, x, options, func(n C.int64_t, how *C.gm_options) C.gm_status {
		return C.log_prob_given(c.p, m.p, reals(x), n, &mask[0], how, reals(logp))
	})
}

// Impute gives rows with their NaNs filled in: by draws, or as the option "how" says.
func (m *Model) Impute(c *Context, x []float64, options Options) ([]float64, error) {
	y := make([]float64, len(x))
	return y, m.ask(c, x, options, func(n C.int64_t, how *C.gm_options) C.gm_status {
		return C.impute(c.p, m.p, reals(x), n, how, reals(y))
	})
}

// SampleGiven draws n rows with columns given, one row or n; NaN where a column is to be drawn.
func (m *Model) SampleGiven(c *Context, n int, given []float64, options Options) ([]float64,
	error) {
	x := make([]float64, n*m.Columns())
	return x, m.ask(c, given, options, func(rows C.int64_t, how *C.gm_options) C.gm_status {
		return C.sample_given(c.p, m.p, C.int64_t(n), reals(given), rows, how, reals(x))
	})
}

// Anomaly gives -log p of each row, and its p-value: by the rows that FitAnomaly laid aside, unless
// calibration (may be nil) gives others.
func (m *Model) Anomaly(c *Context, rows, calibration *Dataset, options Options) (score,
	pValue []float64, err error) {
	defer runtime.KeepAlive(rows)
	defer runtime.KeepAlive(calibration)
	var by *C.gm_dataset
	if calibration != nil {
		by = calibration.p
	}
	score, pValue = make([]float64, rows.Rows()), make([]float64, rows.Rows())
	err = m.ask(c, nil, options, func(_ C.int64_t, how *C.gm_options) C.gm_status {
		return C.gm_model_anomaly(c.p, m.p, rows.p, by, how, reals(score), reals(pValue))
	})
	return score, pValue, err
}
