namespace Curvature.TorchSharp

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// The loss of a TorchSharp model and its gradient, at the parameters that it had.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TorchLossGradient internal (layout: ParameterLayout, loss: float, gradient: Tensor) =

    /// The names, shapes and places of the parameters, by PyTorch's names.
    member _.Layout = layout

    /// The value of the loss.
    member _.Loss = loss

    /// The gradient, [n], in the order of the layout.
    member _.Gradient = gradient

    override _.ToString() = $"""loss {Numbers.show loss}, gradient of {Describe.count gradient.Size "element"}"""

    member internal this.Text = this.ToString()

/// A Hessian or a Gauss–Newton matrix of a TorchSharp model, at the parameters that it had when this was made. It holds
/// graphs of torch, which it gives back when it is disposed of. It stands for its operator wherever one is expected.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TorchCurvature
    internal (operator: LinearOperator, layout: ParameterLayout, loss: float, gradient: Tensor, outputs: Tensor | null)
    =

    /// The matrix, n×n, known by its products.
    member _.Operator = operator

    /// The names, shapes and places of the parameters, by PyTorch's names.
    member _.Layout = layout

    /// The value of the loss.
    member _.Loss = loss

    /// The gradient of the loss, [n], in the order of the layout.
    member _.Gradient = gradient

    /// The outputs of the model, where there is one and the data are a single batch; otherwise null.
    member _.Outputs = outputs

    /// Gives the graphs back. The operator's products raise DisposedException from then on.
    member _.Dispose() = operator.Dispose()

    interface IDisposable with
        member this.Dispose() = this.Dispose()

    /// The operator.
    static member op_Implicit(curvature: TorchCurvature) : LinearOperator =
        ArgumentNullException.ThrowIfNull(curvature, nameof curvature)
        curvature.Operator

    override _.ToString() = $"{operator}, loss {Numbers.show loss}"

    member internal this.Text = this.ToString()

/// A matrix of a TorchSharp model that has no loss, such as a Jacobian or a Fisher matrix. It holds graphs of torch,
/// which it gives back when it is disposed of. It stands for its operator wherever one is expected.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TorchMatrix internal (operator: LinearOperator, layout: ParameterLayout, outputs: Tensor | null) =

    /// The matrix, known by its products.
    member _.Operator = operator

    /// The names, shapes and places of what it is a matrix of: parameters, by PyTorch's names, or values on the way.
    member _.Layout = layout

    /// The outputs of the model, where the data are a single batch; otherwise null.
    member _.Outputs = outputs

    /// Gives the graphs back. The operator's products raise DisposedException from then on.
    member _.Dispose() = operator.Dispose()

    interface IDisposable with
        member this.Dispose() = this.Dispose()

    /// The operator.
    static member op_Implicit(matrix: TorchMatrix) : LinearOperator =
        ArgumentNullException.ThrowIfNull(matrix, nameof matrix)
        matrix.Operator

    override _.ToString() = string operator

    member internal this.Text = this.ToString()
