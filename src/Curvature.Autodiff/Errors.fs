namespace Curvature

/// The root of every error that this library raises about its own use: the message names the argument,
/// what was expected and what came.
type CurvatureException(message: string, inner: exn) =
    inherit System.Exception(message, inner)
    new(message: string) = CurvatureException(message, null)

/// Shapes that do not fit together.
type ShapeException(message: string) =
    inherit CurvatureException(message)

/// Element types that do not fit together, or one that an operation does not have.
type DTypeException(message: string) =
    inherit CurvatureException(message)

/// A function that cannot be differentiated or transformed as asked.
type DifferentiationException(message: string) =
    inherit CurvatureException(message)

/// The value of a tensor was asked for where only its shape is known.
type AbstractValueException(message: string) =
    inherit DifferentiationException(message)

/// An argument outside its range, such as a negative count.
type ArgumentRangeException(message: string) =
    inherit CurvatureException(message)

/// NaN or infinity where a finite number is needed; the message says where it first appeared.
type NonFiniteException(message: string) =
    inherit CurvatureException(message)

/// Data that is not what it should be: a missing, empty, ragged or mislabelled file.
type DataException(message: string, inner: exn) =
    inherit CurvatureException(message, inner)
    new(message: string) = DataException(message, null)

/// A parameter tensor that is not there, or is there twice.
type ParameterException(message: string) =
    inherit CurvatureException(message)

/// An operator or a compiled map that was disposed of is used.
type DisposedException(message: string) =
    inherit CurvatureException(message)

/// An operator that is not what a computation needs: not square, not symmetric, indefinite, or without a transpose.
type OperatorException(message: string) =
    inherit CurvatureException(message)
