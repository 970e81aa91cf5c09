namespace Curvature

/// A function that cannot be differentiated or transformed as asked.
type DifferentiationException(message: string) =
    inherit CurvatureException(message)

/// The value of a tensor was asked for where only its shape is known.
type AbstractValueException(message: string) =
    inherit DifferentiationException(message)

/// NaN or infinity where a finite number is needed; the message says where it first appeared.
type NonFiniteException(message: string) =
    inherit CurvatureException(message)

/// Faulty data: a missing, empty, ragged or mislabelled file.
type DataException(message: string, inner: exn | null) =
    inherit CurvatureException(message, inner)
    new(message: string) = DataException(message, null)

/// A parameter tensor that is missing, or is there twice.
type ParameterException(message: string) =
    inherit CurvatureException(message)

/// An operator or a compiled map that was disposed of is used.
type DisposedException(message: string) =
    inherit CurvatureException(message)

/// An operator or a matrix that does not fit a computation: not square, not symmetric, singular, indefinite, or without
/// a transpose.
type OperatorException(message: string) =
    inherit CurvatureException(message)

/// Raises the library's errors: `Fail.shape $"…"` for `raise (ShapeException $"…")`.
module internal Fail =

    let shape (message: string) : 'T = raise (ShapeException message)
    let dtype (message: string) : 'T = raise (DTypeException message)
    let range (message: string) : 'T = raise (ArgumentRangeException message)
    let device (message: string) : 'T = raise (DeviceException message)
    let differentiation (message: string) : 'T = raise (DifferentiationException message)
    let nonFinite (message: string) : 'T = raise (NonFiniteException message)
    let data (message: string) : 'T = raise (DataException message)
    let parameter (message: string) : 'T = raise (ParameterException message)
    let disposed (message: string) : 'T = raise (DisposedException message)
    let operator (message: string) : 'T = raise (OperatorException message)
