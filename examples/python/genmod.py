"""libgenmod from Python: a module of one file over ctypes and NumPy.

    import genmod
    model = genmod.flow(x, seed=7, epochs=20, bins=8, lr=2e-3)   # help(genmod.flow): all keywords
    model.sample(10, seed=1)
    model.log_prob(x)
    model, tried = genmod.fit_auto(x, seed=7, seconds=60)
    run = genmod.nuts(lambda x: (-x @ x / 2, -x), 500, dim=3, seed=1)

Each family of the library is a function here, its keywords read from the library's options tables:
those of the family, of every fit, and of the optimizer. NumPy arrays go in and out without a copy
if they are float32, float64, uint8, int32 or int64, whatever their strides; others are converted.

Each thread gets a context of its own, and Python's lock is released while the library works, so
any number of threads may ask one model. The library is found by GENMOD_LIBRARY, else by its name.
"""
import collections
import ctypes as C
import inspect
import io
import itertools
import json
import numbers
import os
import threading
import types

import numpy as np

_lib = C.CDLL(os.environ.get("GENMOD_LIBRARY") or "libgenmod.so.0")

# ---- Structures and prototypes, as in include/genmod/ ---------------------------------------------


class _Struct(C.Structure):
    def __init__(self, **members):
        super().__init__(**members)
        self.struct_size = C.sizeof(self)


class gm_array(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("dtype", C.c_int32), ("ndim", C.c_int32),
                ("flags", C.c_uint32), ("data", C.c_void_p), ("shape", C.c_int64 * 8),
                ("strides", C.c_int64 * 8)]


class gm_option_info(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("type", C.c_int32), ("stage", C.c_int32),
                ("since", C.c_int32), ("name", C.c_char_p), ("default_value", C.c_char_p),
                ("range", C.c_char_p), ("help", C.c_char_p)]


class gm_family_info(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("version", C.c_int32), ("capabilities", C.c_int32),
                ("log_prob_kind", C.c_int32), ("name", C.c_char_p), ("summary", C.c_char_p),
                ("direct", C.c_int32)]


class gm_progress(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("done", C.c_int32), ("step", C.c_int64),
                ("steps", C.c_int64), ("epoch", C.c_double), ("loss", C.c_double),
                ("valid", C.c_double), ("best", C.c_double), ("best_step", C.c_int64),
                ("seconds", C.c_double), ("seconds_left", C.c_double),
                ("items_per_second", C.c_double), ("rate", C.c_double),
                ("recoveries", C.c_int64), ("evaluated", C.c_int32)]


_release_fn = C.CFUNCTYPE(None, C.c_void_p)
_progress_fn = C.CFUNCTYPE(C.c_int32, C.c_void_p, C.POINTER(gm_progress))


class gm_fit_config(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("train", C.c_void_p), ("valid", C.c_void_p),
                ("options", C.c_void_p), ("optimizer", C.c_void_p), ("progress", _progress_fn),
                ("progress_user", C.c_void_p), ("init", C.c_void_p)]


_tried_fn = C.CFUNCTYPE(C.c_int32, C.c_void_p, C.c_void_p)
_write_fn = C.CFUNCTYPE(C.c_int32, C.c_void_p, C.c_void_p, C.c_int64)
_read_fn = C.CFUNCTYPE(C.c_int64, C.c_void_p, C.c_void_p, C.c_int64)
_density_fn = C.CFUNCTYPE(C.c_int32, C.c_void_p, C.POINTER(C.c_double), C.POINTER(C.c_double),
                          C.POINTER(C.c_double))


class gm_reader(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("user", C.c_void_p), ("read", _read_fn),
                ("size", C.c_void_p)]


class gm_writer(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("user", C.c_void_p), ("write", _write_fn)]


class gm_auto_row(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("status", C.c_int32), ("kind", C.c_int32),
                ("chosen", C.c_int32), ("rung", C.c_char_p), ("family", C.c_char_p),
                ("options", C.c_char_p), ("why", C.c_char_p), ("mean", C.c_double),
                ("error", C.c_double), ("rows", C.c_int64), ("lost", C.c_int64),
                ("seconds", C.c_double), ("steps", C.c_int64), ("horizon", C.c_int64),
                ("hold", C.c_int64), ("refit_rows", C.c_int64), ("refit_seconds", C.c_double),
                ("refit_why", C.c_char_p)]


class gm_auto_config(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("rows", C.c_void_p), ("options", C.c_void_p),
                ("tried", _tried_fn), ("progress", _progress_fn), ("user", C.c_void_p),
                ("valid", C.c_void_p)]


class gm_comparison(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("kind_a", C.c_int32), ("kind_b", C.c_int32),
                ("rows", C.c_int64), ("binned", C.c_int64), ("lost_a", C.c_int64),
                ("lost_b", C.c_int64), ("mean_a", C.c_double), ("error_a", C.c_double),
                ("mean_b", C.c_double), ("error_b", C.c_double), ("difference", C.c_double),
                ("error", C.c_double), ("won", C.c_double)]


class gm_calibration(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("why_no_columns", C.c_int32), ("rows", C.c_int64),
                ("columns", C.c_int64), ("worst_column", C.c_int64),
                ("worst_distance", C.c_double), ("worst_chance", C.c_double),
                ("draws", C.c_int64), ("level", C.c_double * 5), ("coverage", C.c_double * 5),
                ("low", C.c_double * 5), ("high", C.c_double * 5),
                ("mean_log_prob", C.c_double), ("mean_drawn", C.c_double)]


class gm_self_checked(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("kind", C.c_int32), ("draws", C.c_int64),
                ("integral", C.c_double), ("integral_error", C.c_double),
                ("effective", C.c_double), ("drawn", C.c_double), ("drawn_error", C.c_double),
                ("weighed", C.c_double), ("weighed_error", C.c_double),
                ("return_mean", C.c_double), ("return_most", C.c_double)]


class gm_target(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("user", C.c_void_p), ("dim", C.c_int64),
                ("log_density", _density_fn)]


class gm_nuts_result(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("draws", C.c_void_p), ("logp", C.c_void_p),
                ("step_size", C.c_void_p), ("metric", C.c_void_p), ("divergences", C.c_int64),
                ("depth_hits", C.c_int64), ("gradients", C.c_int64), ("accept", C.c_double)]


class gm_chains_summary(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("mean", C.c_double), ("deviation", C.c_double),
                ("mean_error", C.c_double), ("deviation_error", C.c_double),
                ("low", C.c_double), ("median", C.c_double), ("high", C.c_double),
                ("rhat", C.c_double), ("ess_bulk", C.c_double), ("ess_tail", C.c_double)]


class gm_column(_Struct):
    _fields_ = [("struct_size", C.c_uint32), ("type", C.c_int32), ("role", C.c_int32),
                ("missing", C.c_int32), ("name", C.c_char_p), ("categories", C.c_int64),
                ("low", C.c_double), ("high", C.c_double), ("resolution", C.c_double),
                ("period", C.c_double), ("missing_count", C.c_int64)]


_ptr, _text, _i32, _i64, _real = C.c_void_p, C.c_char_p, C.c_int32, C.c_int64, C.c_double
_array, _bytes = C.POINTER(gm_array), C.POINTER(C.c_uint8)
_PROTOTYPES = {  # the first is what is returned
    "gm_version": (_text,),
    "gm_status_name": (_text, _i32),
    "gm_status_text": (_text, _i32),
    "gm_context_create": (_i32, _ptr, C.POINTER(_ptr)),
    "gm_context_free": (None, _ptr),
    "gm_context_error": (_i64, _ptr, _text, _i64, C.POINTER(_i32)),
    "gm_context_set_text": (_i32, _ptr, _text, _text),
    "gm_options_create": (_i32, _ptr, C.POINTER(_ptr)),
    "gm_options_free": (None, _ptr),
    "gm_options_set_int": (_i32, _ptr, _ptr, _text, _i64),
    "gm_options_set_real": (_i32, _ptr, _ptr, _text, _real),
    "gm_options_set_text": (_i32, _ptr, _ptr, _text, _text),
    "gm_options_set_ints": (_i32, _ptr, _ptr, _text, C.POINTER(_i64), _i64),
    "gm_option_at": (_i32, _ptr, _text, _i32, C.POINTER(gm_option_info)),
    "gm_family_at": (_i32, _ptr, _i32, C.POINTER(gm_family_info)),
    "gm_dataset_borrow_array": (_i32, _ptr, _array, _release_fn, _ptr, C.POINTER(_ptr)),
    "gm_dataset_from_file": (_i32, _ptr, _text, _ptr, C.POINTER(_ptr)),
    "gm_dataset_free": (None, _ptr),
    "gm_dataset_row_count": (_i64, _ptr),
    "gm_dataset_column_count": (_i64, _ptr),
    "gm_dataset_column": (_i32, _ptr, _ptr, _i64, C.POINTER(gm_column)),
    "gm_dataset_find_column": (_i64, _ptr, _text),
    "gm_dataset_with_role": (_i32, _ptr, _ptr, _i64, _i32, C.POINTER(_ptr)),
    "gm_dataset_with_type": (_i32, _ptr, _ptr, _i64, _i32, _real, C.POINTER(_ptr)),
    "gm_dataset_split": (_i32, _ptr, _ptr, _real, C.c_uint64, C.POINTER(_ptr), C.POINTER(_ptr)),
    "gm_dataset_read_f64": (_i32, _ptr, _ptr, _i64, _i64, C.POINTER(_real), _i64),
    "gm_dataset_save": (_i32, _ptr, _ptr, _text),
    "gm_optimizer_create": (_i32, _ptr, _text, _ptr, C.POINTER(_ptr)),
    "gm_optimizer_free": (None, _ptr),
    "gm_fit_with": (_i32, _ptr, _text, C.POINTER(gm_fit_config), C.POINTER(_ptr)),
    "gm_model_free": (None, _ptr),
    "gm_model_save": (_i32, _ptr, _ptr, _text),
    "gm_model_load": (_i32, _ptr, _text, C.POINTER(_ptr)),
    "gm_model_family": (_text, _ptr),
    "gm_model_column_count": (_i64, _ptr),
    "gm_model_code_count": (_i64, _ptr),
    "gm_model_describe": (_i32, _ptr, _ptr, _text, _i64, C.POINTER(_i64)),
    "gm_model_log_prob": (_i32, _ptr, _ptr, _array, _array, _ptr, C.POINTER(_real),
                          C.POINTER(_real)),
    "gm_model_log_prob_rows":
        (_i32, _ptr, _ptr, _ptr, _array, _ptr, C.POINTER(_real), C.POINTER(_real)),
    "gm_model_log_prob_gradient": (_i32, _ptr, _ptr, _array, _array, _ptr, C.POINTER(_real),
                                   _array),
    "gm_model_sample": (_i32, _ptr, _ptr, _i64, _array, _ptr, _array, C.POINTER(_real)),
    "gm_model_encode": (_i32, _ptr, _ptr, _array, _array, _ptr, _array),
    "gm_model_decode": (_i32, _ptr, _ptr, _array, _array, _ptr, _array),
    "gm_model_reconstruct": (_i32, _ptr, _ptr, _array, _array, _ptr, _array),
    "gm_model_log_prob_bounds": (_i32, _ptr, _ptr, _array, _array, _ptr, C.POINTER(_real),
                                 C.POINTER(_real), C.POINTER(_real)),
    "gm_model_impute": (_i32, _ptr, _ptr, _array, _array, _ptr, _array),
    "gm_model_sample_given": (_i32, _ptr, _ptr, _i64, _array, _array, _ptr, _array),
    "gm_model_log_prob_given": (_i32, _ptr, _ptr, _array, _bytes, _array, _ptr, C.POINTER(_real)),
    "gm_model_range_prob": (_i32, _ptr, _ptr, _array, _array, _array, _ptr, C.POINTER(_real),
                            C.POINTER(_real)),
    "gm_model_cdf": (_i32, _ptr, _ptr, _i64, _i64, _array, _bytes, _array, _ptr, C.POINTER(_real),
                     C.POINTER(_real), C.POINTER(_real)),
    "gm_model_quantile": (_i32, _ptr, _ptr, _i64, _i64, _array, _bytes, _array, _ptr,
                          C.POINTER(_real), C.POINTER(_real)),
    "gm_compress": (_i32, _ptr, _ptr, _ptr, _ptr, C.POINTER(gm_writer), _ptr),
    "gm_compress_text": (_i32, _ptr, _ptr, _text, _i64, _ptr, _ptr, C.POINTER(gm_writer), _ptr),
    "gm_decompress_text": (_i32, _ptr, _ptr, C.POINTER(gm_reader), _text, _ptr,
                           C.POINTER(gm_writer)),
    "gm_decompress_memory": (_i32, _ptr, _ptr, _ptr, _i64, _ptr, C.POINTER(_ptr)),
    "gm_compare": (_i32, _ptr, _ptr, _ptr, _ptr, _ptr, C.POINTER(gm_comparison), C.POINTER(_real),
                   C.POINTER(_real)),
    "gm_calibrate": (_i32, _ptr, _ptr, _ptr, _ptr, C.POINTER(gm_calibration), C.POINTER(_real),
                     C.POINTER(_real)),
    "gm_self_check": (_i32, _ptr, _ptr, _array, _ptr, C.POINTER(gm_self_checked)),
    "gm_fit_anomaly": (_i32, _ptr, _text, _ptr, _ptr, C.POINTER(_ptr)),
    "gm_model_anomaly": (_i32, _ptr, _ptr, _ptr, _ptr, _ptr, C.POINTER(_real), C.POINTER(_real)),
    "gm_model_blame": (_i32, _ptr, _ptr, _ptr, _ptr, C.POINTER(_real)),
    "gm_fit_auto": (_i32, _ptr, C.POINTER(gm_auto_config), C.POINTER(_ptr), C.POINTER(_ptr)),
    "gm_auto_report_count": (_i64, _ptr),
    "gm_auto_report_row": (_i32, _ptr, _ptr, _i64, C.POINTER(gm_auto_row)),
    "gm_auto_report_free": (None, _ptr),
    "gm_kde_above": (_i32, _ptr, _ptr, _array, _real, C.POINTER(C.c_int8)),
    "gm_kde_modes": (_i32, _ptr, _ptr, _array, _real, _i64, _array, C.POINTER(_i64),
                     C.POINTER(_i64)),
    "gm_kde_row_count": (_i64, _ptr),
    "gm_kde_add": (_i32, _ptr, _ptr, _ptr, C.POINTER(_ptr)),
    "gm_kde_forget": (_i32, _ptr, _ptr, C.POINTER(_i64), _i64, C.POINTER(_ptr)),
    "gm_density_create": (_i32, _ptr, _ptr, _array, _ptr, C.POINTER(_ptr)),
    "gm_density_free": (None, _ptr),
    "gm_density_dim": (_i64, _ptr),
    "gm_density_log_prob": (_i32, _ptr, C.POINTER(_real), C.POINTER(_real), C.POINTER(_real)),
    "gm_nuts": (_i32, _ptr, C.POINTER(gm_target), C.POINTER(_real), _ptr, _i64, _i64,
                C.POINTER(gm_nuts_result)),
    "gm_chains_summarise": (_i32, _ptr, C.POINTER(_real), _i64, _i64, _i64, _i64,
                            C.POINTER(gm_chains_summary)),
}
for _name, _types in _PROTOTYPES.items():
    _f = getattr(_lib, _name)
    _f.restype, _f.argtypes = _types[0], _types[1:]

# ---- Contexts and errors ---------------------------------------------------------------------------


class Error(Exception):
    """A call that failed: code, its name, and the library's text."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.name = (_lib.gm_status_name(code) or b"?").decode()


class _Handle:
    """Owns one C handle; _as_parameter_ lets ctypes take it."""
    _free = None

    def __init__(self, pointer):
        self._as_parameter_ = pointer

    def __del__(self):
        pointer, self._as_parameter_ = getattr(self, "_as_parameter_", None), None
        if pointer and _lib is not None:
            self._free(pointer)


class Context(_Handle):
    _free = staticmethod(_lib.gm_context_free)

    def __init__(self):
        out = _ptr()
        code = _lib.gm_context_create(None, C.byref(out))
        if code:
            raise Error(code, _lib.gm_status_text(code).decode())
        super().__init__(out)

    def error(self, code):
        kept = _i32()
        size = _lib.gm_context_error(self, None, 0, C.byref(kept))
        text = C.create_string_buffer(size + 1)
        _lib.gm_context_error(self, text, size + 1, None)
        if kept.value != code:
            return Error(code, _lib.gm_status_text(code).decode())
        return Error(code, text.value.decode())


_mine = threading.local()


def context():
    """This thread's context."""
    if not hasattr(_mine, "context"):
        _mine.context = Context()
    return _mine.context


def settings(**values):
    """Settings of this thread's context: settings(threads=2). help: options("context")."""
    for name, value in values.items():
        _call(_lib.gm_context_set_text, name.encode(), _as_text(value).encode())


def _call(function, *arguments):
    ctx = context()
    code = function(ctx, *arguments)
    if code:
        raise ctx.error(code)


def _made(function, *arguments):
    out = _ptr()
    _call(function, *arguments, C.byref(out))
    return out


def _told(struct):
    """What a structure tells, as attributes."""
    values = {name: getattr(struct, name) for name, _ in struct._fields_ if name != "struct_size"}
    return types.SimpleNamespace(**{
        k: v.decode() if isinstance(v, bytes) else list(v) if isinstance(v, C.Array) else v
        for k, v in values.items()})


class _Caught:
    """Python's functions below C: what the first one raises is kept, as nothing may unwind through
    the library, and comes out again behind the call."""

    def __init__(self):
        self.raised = []

    def wrap(self, kind, function, failed=1):
        def guarded(*arguments):
            try:
                return function(*arguments) or 0
            except BaseException as e:
                self.raised.append(e)
                return failed
        return kind(guarded)

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        if kind is Error and self.raised:
            raise self.raised.pop() from None


def _written(call):
    """The bytes that a call hands to a writer."""
    found = bytearray()
    with _Caught() as caught:
        write = caught.wrap(_write_fn, lambda _, p, n: found.extend(C.string_at(p, n)), -1)
        call(C.byref(gm_writer(write=write)))
    return bytes(found)


# ---- Options -------------------------------------------------------------------------------------

Option = collections.namedtuple("Option", "name type default range help")
_TYPES = {1: "int", 2: "float", 3: "bool", 4: "choice", 5: "ints", 6: "text", 7: "seed"}


def options(owner):
    """The options of a family, an optimizer, a call, "fit", "context" or "csv"."""
    rows = []
    ctx = context()
    for i in itertools.count():
        info = gm_option_info()
        code = _lib.gm_option_at(ctx, owner.encode(), i, C.byref(info))
        if code == -2:  # past the end
            return rows
        if code:
            raise ctx.error(code)
        rows.append(Option(info.name.decode(), _TYPES[info.type], info.default_value.decode(),
                           info.range.decode(), info.help.decode()))


def _as_text(value):
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


class _Options(_Handle):
    _free = staticmethod(_lib.gm_options_free)

    def __init__(self, values):
        super().__init__(_made(_lib.gm_options_create))
        for name, value in values.items():
            if isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_)):
                _call(_lib.gm_options_set_int, self, name.encode(), int(value))
            elif isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
                _call(_lib.gm_options_set_real, self, name.encode(), float(value))
            else:
                _call(_lib.gm_options_set_text, self, name.encode(), _as_text(value).encode())


# ---- Arrays --------------------------------------------------------------------------------------

_DTYPES = {np.dtype(t): i + 1 for i, t in
           enumerate((np.float32, np.float64, np.uint8, np.int32, np.int64))}


def _view(x):
    """A gm_array over an ndarray's memory, and the ndarray that must live as long."""
    x = np.asarray(x)
    if x.dtype not in _DTYPES or x.ndim > 8 or any(s % x.itemsize for s in x.strides):
        x = np.array(x, dtype=np.float64)
    a = gm_array(dtype=_DTYPES[x.dtype], ndim=x.ndim, flags=0 if x.flags.writeable else 1,
                 data=x.ctypes.data)
    a.shape[:x.ndim] = x.shape
    a.strides[:x.ndim] = [s // x.itemsize for s in x.strides]
    return a, x


def _maybe(x):
    """As _view; nothing for None."""
    return _view(x) if x is not None else (None, None)


def _result(out, shape, dtype):
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype not in _DTYPES or not out.flags.writeable:
        raise ValueError(f"out is {out.dtype} {out.shape}, must be float32 or float64 {shape}")
    return out


def _reals(x):
    return x.ctypes.data_as(C.POINTER(_real))


# ---- Data ----------------------------------------------------------------------------------------

_borrowed = {}  # what the library reads in place, by the number that it gives back
_numbers = itertools.count(1)


@_release_fn
def _release(number):
    _borrowed.pop(number, None)



REAL, INTEGER, BINARY, CATEGORY, ORDERED, CIRCULAR = range(1, 7)
FEATURE, LABEL, CONDITION, IGNORED, WEIGHT = range(1, 6)


class Dataset(_Handle):
    """Rows of an ndarray, read in place (do not change it while the dataset lives), or of a file."""
    _free = staticmethod(_lib.gm_dataset_free)

    def __init__(self, rows, **how):
        if isinstance(rows, C.c_void_p):
            super().__init__(rows)
        elif isinstance(rows, (str, os.PathLike)):
            bag = _Options(how)
            super().__init__(_made(_lib.gm_dataset_from_file, os.fsencode(rows), bag))
        else:
            array, kept = _view(rows)
            number = next(_numbers)
            _borrowed[number] = kept
            super().__init__(_made(_lib.gm_dataset_borrow_array, C.byref(array), _release, number))

    def __len__(self):
        return _lib.gm_dataset_row_count(self)

    @property
    def columns(self):
        found = []
        for i in range(_lib.gm_dataset_column_count(self)):
            found.append(gm_column())
            _call(_lib.gm_dataset_column, self, i, C.byref(found[-1]))
        return found

    def _number(self, column):
        if isinstance(column, str):
            return _lib.gm_dataset_find_column(self, column.encode())
        return column

    def with_role(self, column, role):
        return Dataset(_made(_lib.gm_dataset_with_role, self, self._number(column), role))

    def with_type(self, column, kind, period=0):
        return Dataset(_made(_lib.gm_dataset_with_type, self, self._number(column), kind, period))

    def split(self, fraction, seed):
        first, second = _ptr(), _ptr()
        _call(_lib.gm_dataset_split, self, fraction, seed, C.byref(first), C.byref(second))
        return Dataset(first), Dataset(second)

    def array(self):
        x = np.empty((len(self), _lib.gm_dataset_column_count(self)))
        _call(_lib.gm_dataset_read_f64, self, 0, len(self), _reals(x), 0)
        return x

    def save(self, path):
        _call(_lib.gm_dataset_save, self, os.fsencode(path))


def _rows(data):
    return data if isinstance(data, Dataset) else Dataset(data)


# ---- Models --------------------------------------------------------------------------------------


class _Optimizer(_Handle):
    _free = staticmethod(_lib.gm_optimizer_free)


class Model(_Handle):
    """A trained model. Keywords are the options of the call: options("sample"), ..."""
    _free = staticmethod(_lib.gm_model_free)

    @property
    def family(self):
        return _lib.gm_model_family(self).decode()

    def describe(self):
        """Family, options, schema, sizes and the record of its training."""
        size = _i64()
        _call(_lib.gm_model_describe, self, None, 0, C.byref(size))
        text = C.create_string_buffer(size.value + 1)
        _call(_lib.gm_model_describe, self, text, size.value + 1, C.byref(size))
        return json.loads(text.value)

    def save(self, path):
        _call(_lib.gm_model_save, self, os.fsencode(path))

    def log_prob(self, x, cond=None, **how):
        """log p of each row in nats."""
        return self.log_prob_error(x, cond, **how)[0]

    def log_prob_error(self, x, cond=None, **how):
        """log p of each row in nats, and its standard error."""
        bag, (c, kept) = _Options(how), _maybe(cond)
        call, a = _lib.gm_model_log_prob_rows, x
        if not isinstance(x, Dataset):
            call = _lib.gm_model_log_prob
            a, x = _view(x)
        logp, error = np.empty(len(x)), np.empty(len(x))
        _call(call, self, a, c, bag, _reals(logp), _reals(error))
        return logp, error

    def log_prob_gradient(self, x, cond=None, out=None, **how):
        """log p of each row, and its gradient in x."""
        bag, (c, kept), (a, x) = _Options(how), _maybe(cond), _view(x)
        logp, grad = np.empty(len(x)), _result(out, x.shape, np.float64)
        _call(_lib.gm_model_log_prob_gradient, self, a, c, bag, _reals(logp), _view(grad)[0])
        return logp, grad

    def log_prob_bounds(self, x, cond=None, **how):
        """log p of each row, and between what it surely lies."""
        bag, (c, kept), (a, x) = _Options(how), _maybe(cond), _view(x)
        logp, lower, upper = np.empty((3, len(x)))
        _call(_lib.gm_model_log_prob_bounds, self, a, c, bag, _reals(logp), _reals(lower),
              _reals(upper))
        return logp, lower, upper

    def _known(self, known):
        known = np.ascontiguousarray(known, dtype=np.uint8)
        if known.shape != (_lib.gm_model_column_count(self),):
            raise ValueError("known has a truth value for each column")
        return known

    def log_prob_given(self, x, known, cond=None, **how):
        """log p of the columns that are not known, given those that are: known[j] is true."""
        bag, (c, kept), (a, x) = _Options(how), _maybe(cond), _view(x)
        known, logp = self._known(known), np.empty(len(x))
        _call(_lib.gm_model_log_prob_given, self, a, known.ctypes.data_as(_bytes), c, bag,
              _reals(logp))
        return logp

    def _law(self, function, column, value, x, known, cond, how, results):
        """One column's law in each row of x, or alone, asked at one value for each."""
        bag, (c, kept), (a, x) = _Options(how), _maybe(cond), _maybe(x)
        value = np.ascontiguousarray(np.atleast_1d(value), dtype=np.float64)
        if x is not None:
            value = np.ascontiguousarray(np.broadcast_to(value, len(x)))
            known = self._known(known)
        found = np.empty((results, len(value)))
        _call(function, self, column, len(value), a,
              None if x is None else known.ctypes.data_as(_bytes), c, bag, _reals(value),
              *map(_reals, found))
        return found

    def cdf(self, column, value, x=None, known=None, cond=None, **how):
        """P(column <= value) and P(column > value): given the known columns of x, a row for each
        value, or (without x) of the column alone."""
        return tuple(self._law(_lib.gm_model_cdf, column, value, x, known, cond, how, 2))

    def quantile(self, column, u, x=None, known=None, cond=None, **how):
        """The column's value below which it lies with probability u; the rest as for cdf."""
        return self._law(_lib.gm_model_quantile, column, u, x, known, cond, how, 1)[0]

    def range_prob(self, lower, upper, cond=None, **how):
        """How probable it is that all columns lie within ranges, and the standard error."""
        bag, (c, kept) = _Options(how), _maybe(cond)
        (a, low), (b, high) = _view(lower), _view(upper)
        p, error = np.empty((2, len(low)))
        _call(_lib.gm_model_range_prob, self, a, b, c, bag, _reals(p), _reals(error))
        return p, error

    def impute(self, x, cond=None, out=None, dtype=np.float64, **how):
        """Rows with their NaNs filled in, by a draw (which needs the option seed) or as the option
        how says: mean, median, mode."""
        return self._map(_lib.gm_model_impute, x, _lib.gm_model_column_count(self), cond, out,
                         dtype, how)

    def sample_given(self, n, given, cond=None, out=None, dtype=np.float64, **how):
        """n rows with columns given, NaN where they are drawn: given (d), (1, d) or (n, d)."""
        bag, (c, kept), (a, given) = _Options(how), _maybe(cond), _view(np.atleast_2d(given))
        x = _result(out, (n, _lib.gm_model_column_count(self)), dtype)
        _call(_lib.gm_model_sample_given, self, n, a, c, bag, _view(x)[0])
        return x

    def compress(self, rows, **how):
        """Rows as an archive, bytes."""
        bag, rows = _Options(how), _rows(rows)
        return _written(lambda to: _call(_lib.gm_compress, self, rows, bag, to, None))

    def compress_text(self, text, csv={}, **how):
        """The bytes of a CSV file as an archive; csv are the options of reading it."""
        bag, csv = _Options(how), _Options(csv)
        return _written(lambda to: _call(_lib.gm_compress_text, self, text, len(text), csv, bag, to,
                                         None))

    def decompress_text(self, archive, **how):
        """The bytes of such a file again."""
        bag, rest = _Options(how), io.BytesIO(archive)
        read = _read_fn(lambda _, to, size: rest.readinto((C.c_char * size).from_address(to)))
        return _written(lambda to: _call(_lib.gm_decompress_text, self,
                                         C.byref(gm_reader(read=read)), None, bag, to))

    def decompress(self, archive, **how):
        """The rows of an archive, as an array."""
        bag = _Options(how)
        return Dataset(_made(_lib.gm_decompress_memory, self, archive, len(archive), bag)).array()

    def anomaly(self, rows, calibration=None, **how):
        """-log p of each row, and the share of calibration rows at least as odd: of those that
        fit_anomaly laid aside, unless others are given."""
        bag, rows = _Options(how), _rows(rows)
        calibration = None if calibration is None else _rows(calibration)
        score, p_value = np.empty((2, len(rows)))
        _call(_lib.gm_model_anomaly, self, rows, calibration, bag, _reals(score), _reals(p_value))
        return score, p_value

    def blame(self, rows, **how):
        """By how many nats each cell makes its row odd. The option seed is required."""
        bag, rows = _Options(how), _rows(rows)
        blame = np.empty((len(rows), _lib.gm_model_column_count(self)))
        _call(_lib.gm_model_blame, self, rows, bag, _reals(blame))
        return blame

    def calibrate(self, rows, **how):
        """Whether probabilities are those of rows that the model was not fitted to; with distance
        and pit where it knows columns given others. The option seed is required."""
        bag, rows, told = _Options(how), _rows(rows), gm_calibration()
        distance = np.empty(_lib.gm_model_column_count(self))
        pit = np.empty((len(rows), len(distance)))
        _call(_lib.gm_calibrate, self, rows, bag, C.byref(told), _reals(distance), _reals(pit))
        told = _told(told)
        told.distance, told.pit = (distance, pit) if told.columns else (None, None)
        return told

    def self_check(self, cond=None, **how):
        """Whether density, draws and codes belong together. The option seed is required."""
        bag, (c, kept), told = _Options(how), _maybe(cond), gm_self_checked()
        _call(_lib.gm_self_check, self, c, bag, C.byref(told))
        return _told(told)

    # What only the family kde has.

    def above(self, x, level):
        """1 where log p of a row is above the level, -1 where below, 0 where the same."""
        a, x = _view(x)
        found = np.empty(len(x), np.int8)
        _call(_lib.gm_kde_above, self, a, level, found.ctypes.data_as(C.POINTER(C.c_int8)))
        return found

    def modes(self, x, tolerance=0, steps=0):
        """Where each row comes to uphill, and the number of that mode."""
        a, x = _view(x)
        places, mode = np.empty(x.shape), np.empty(len(x), np.int64)
        _call(_lib.gm_kde_modes, self, a, tolerance, steps, _view(places)[0],
              mode.ctypes.data_as(C.POINTER(_i64)), None)
        return places, mode

    @property
    def row_count(self):
        """How many rows the estimate holds; 0 for other families."""
        return _lib.gm_kde_row_count(self)

    def add(self, rows):
        """A new model that holds these rows as well."""
        return Model(_made(_lib.gm_kde_add, self, _rows(rows)))

    def forget(self, rows):
        """A new model without the rows of these numbers."""
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        return Model(_made(_lib.gm_kde_forget, self, rows.ctypes.data_as(C.POINTER(_i64)),
                           rows.size))

    def sample(self, n, cond=None, out=None, dtype=np.float64, **how):
        """n rows; into out if it is given. The option seed is required."""
        bag, (c, kept) = _Options(how), _maybe(cond)
        x = _result(out, (n, _lib.gm_model_column_count(self)), dtype)
        _call(_lib.gm_model_sample, self, n, c, bag, _view(x)[0], None)
        return x

    def _map(self, function, x, columns, cond, out, dtype, how):
        bag, (c, kept), (a, x) = _Options(how), _maybe(cond), _view(x)
        y = _result(out, (len(x), columns), dtype)
        _call(function, self, a, c, bag, _view(y)[0])
        return y

    def encode(self, x, cond=None, out=None, dtype=np.float64, **how):
        return self._map(_lib.gm_model_encode, x, _lib.gm_model_code_count(self), cond, out,
                         dtype, how)

    def decode(self, z, cond=None, out=None, dtype=np.float64, **how):
        return self._map(_lib.gm_model_decode, z, _lib.gm_model_column_count(self), cond, out,
                         dtype, how)

    def reconstruct(self, x, cond=None, out=None, dtype=np.float64, **how):
        return self._map(_lib.gm_model_reconstruct, x, _lib.gm_model_column_count(self), cond,
                         out, dtype, how)


def load(path):
    return Model(_made(_lib.gm_model_load, os.fsencode(path)))


def fit(family, rows, *, valid_rows=None, init=None, optimizer="adam", progress=None, **how):
    """Fits a family to rows (an ndarray, a Dataset or a path); init is a model to go on from.
    progress(report) may return True to stop; what it raises comes out of here. The other keywords:
    options(family), options("fit") and options(optimizer). Families that learn in one piece take
    no optimizer."""
    rules, rule = set(), None
    if not _learns_in_one_piece(family):
        rules = {o.name for o in options(optimizer)}
        rule = _Optimizer(_made(_lib.gm_optimizer_create, optimizer.encode(),
                                _Options({k: v for k, v in how.items() if k in rules})))
    bag = _Options({k: v for k, v in how.items() if k not in rules})
    train, valid = _rows(rows), None if valid_rows is None else _rows(valid_rows)
    config = gm_fit_config(train=train._as_parameter_, options=bag._as_parameter_)
    if rule is not None:
        config.optimizer = rule._as_parameter_
    if init is not None:
        config.init = init._as_parameter_
    if valid is not None:
        config.valid = valid._as_parameter_
    with _Caught() as caught:
        if progress is not None:
            config.progress = caught.wrap(_progress_fn, lambda _, at: bool(progress(at.contents)))
        return Model(_made(_lib.gm_fit_with, family.encode(), C.byref(config)))


def fit_anomaly(family, rows, **how):
    """As fit, of rows that may hold anomalies: a part is laid aside for the p-values of
    Model.anomaly. family may be "auto". The keywords: options("anomaly") and those of the fit."""
    rows, bag = _rows(rows), _Options(how)
    return Model(_made(_lib.gm_fit_anomaly, family.encode(), rows, bag))


def fit_auto(rows, *, valid_rows=None, tried=None, progress=None, **how):
    """The best of a ladder of models within a time, and what was tried, a list in order. They are
    judged by a part of the rows, or by valid_rows. tried(model's record) is told after each,
    progress(report) as fits go; either may return True to stop. The other keywords:
    options("auto")."""
    rows, bag, report, best = _rows(rows), _Options(how), _ptr(), _ptr()
    valid = None if valid_rows is None else _rows(valid_rows)
    config = gm_auto_config(rows=rows._as_parameter_, options=bag._as_parameter_)
    if valid is not None:
        config.valid = valid._as_parameter_
    with _Caught() as caught:
        if tried is not None:
            config.tried = caught.wrap(
                _tried_fn, lambda _, row: bool(tried(_told(gm_auto_row.from_address(row)))))
        if progress is not None:
            config.progress = caught.wrap(_progress_fn, lambda _, at: bool(progress(at.contents)))
        _call(_lib.gm_fit_auto, C.byref(config), C.byref(report), C.byref(best))
    found = []
    for i in range(_lib.gm_auto_report_count(report)):
        found.append(gm_auto_row())
        _call(_lib.gm_auto_report_row, report, i, C.byref(found[-1]))
    found = [_told(row) for row in found]  # copies what belongs to the report
    _lib.gm_auto_report_free(report)
    return Model(best), found


def compare(a, b, rows, **how):
    """Which of two models tells rows better: difference is the mean of log p by a less that by b,
    row by row, error its standard error. logp_a and logp_b are those of each row."""
    bag, rows, told = _Options(how), _rows(rows), gm_comparison()
    logp_a, logp_b = np.empty((2, len(rows)))
    _call(_lib.gm_compare, a, b, rows, bag, C.byref(told), _reals(logp_a), _reals(logp_b))
    told = _told(told)
    told.logp_a, told.logp_b = logp_a, logp_b
    return told


# ---- Draws from a density ------------------------------------------------------------------------


class Density(_Handle):
    """A fitted density as a function of one row: density(x) is log p and its gradient. Any thread
    may call it. Keywords are the options of log_prob."""
    _free = staticmethod(_lib.gm_density_free)

    def __init__(self, model, cond=None, **how):
        bag, (c, kept) = _Options(how), _maybe(cond)
        super().__init__(_made(_lib.gm_density_create, model, c, bag))
        self.dim = _lib.gm_density_dim(self)

    def __call__(self, x):
        x, logp, grad = np.ascontiguousarray(x, dtype=np.float64), _real(), np.empty(self.dim)
        if x.shape != (self.dim,):
            raise ValueError(f"a row has {self.dim} numbers")
        code = _lib.gm_density_log_prob(self, _reals(x), C.byref(logp), _reals(grad))
        if code:
            raise Error(code, _lib.gm_status_text(code).decode())
        return logp.value, grad


def nuts(density, draws, *, chains=4, dim=None, start=None, **how):
    """Draws from a density by the no-U-turn sampler: density is a function of x (dim) that returns
    its log, up to a constant, and its gradient, or a Density. start (chains, dim) is where chains
    begin. The run has draws (chains, draws, dim), logp, step_size, metric, divergences ...; what
    density raises comes out of here. The other keywords: options("nuts"), of which a seed."""
    bag, target = _Options(how), gm_target(dim=dim or getattr(density, "dim", 0))
    dim = target.dim

    def ask(_, x, logp, grad):
        value, slope = density(np.ctypeslib.as_array(x, (dim,)).copy())
        logp[0] = value
        if grad:
            np.ctypeslib.as_array(grad, (dim,))[:] = slope

    if start is not None:
        start = np.ascontiguousarray(start, dtype=np.float64)
        if start.shape != (chains, dim):
            raise ValueError(f"start is {start.shape}, must be {(chains, dim)}")
    x, logp = np.empty((chains, draws, dim)), np.empty((chains, draws))
    step, metric = np.empty(chains), np.empty((chains, dim))
    result = gm_nuts_result(draws=x.ctypes.data, logp=logp.ctypes.data,
                            step_size=step.ctypes.data, metric=metric.ctypes.data)
    with _Caught() as caught:
        if isinstance(density, Density):
            target.user = density._as_parameter_
            target.log_density = C.cast(_lib.gm_density_log_prob, _density_fn)
        else:
            target.log_density = caught.wrap(_density_fn, ask, -1)
        _call(_lib.gm_nuts, C.byref(target), None if start is None else _reals(start), bag, chains,
              draws, C.byref(result))
    run = _told(result)
    run.draws, run.logp, run.step_size, run.metric = x, logp, step, metric
    return run


def summarise(draws):
    """What draws (chains, draws, dim) say of each coordinate: mean, quantiles, rhat, ess ..."""
    draws, found = np.ascontiguousarray(draws, dtype=np.float64), []
    for j in range(draws.shape[2]):
        told = gm_chains_summary()
        _call(_lib.gm_chains_summarise, _reals(draws), *draws.shape, j, C.byref(told))
        found.append(_told(told))
    return found


def _families():
    for i in itertools.count():
        info = gm_family_info()
        if _lib.gm_family_at(context(), i, C.byref(info)):
            return
        yield info


def families():
    """Names and summaries of the families."""
    return {info.name.decode(): info.summary.decode() for info in _families()}


def _learns_in_one_piece(family):
    return any(info.direct for info in _families() if info.name.decode() == family)


def _family(name, summary):
    """fit of one family, its keywords and their help read from the tables."""
    def function(rows, **how):
        return fit(name, rows, **how)

    tables = {}  # an option of the family is nearer than one of every fit
    for t in (name, "fit") if _learns_in_one_piece(name) else (name, "fit", "adam"):
        for o in options(t):
            tables.setdefault(o.name, (o, t))
    tables = list(tables.values())
    word = inspect.Parameter.KEYWORD_ONLY
    function.__name__ = function.__qualname__ = name
    function.__signature__ = inspect.Signature(
        [inspect.Parameter("rows", inspect.Parameter.POSITIONAL_OR_KEYWORD)] +
        [inspect.Parameter(o.name, word, default=o.default or inspect.Parameter.empty)
         for o, _ in tables])
    function.__doc__ = f"{summary}\n\n" + "\n".join(
        f"{o.name}: {o.type} {o.range} ({t}) {o.help}" for o, t in tables)
    return function


def __getattr__(name):
    found = families()
    if name not in found:
        raise AttributeError(f"genmod has no family '{name}'; there are: {', '.join(found)}")
    return _family(name, found[name])


__version__ = _lib.gm_version().decode()
