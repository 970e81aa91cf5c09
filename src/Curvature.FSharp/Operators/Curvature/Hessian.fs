namespace Curvature

open System.Diagnostics

/// A loss at a point: its value, its gradient, and its second derivative.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LossPoint internal (loss: float, gradient: Tensor, hessian: LinearOperator) =
    /// The value of the loss.
    member _.Loss = loss

    /// The gradient, in the shape of the point.
    member _.Gradient = gradient

    /// The Hessian, of size n×n for a point of n elements in row-major order.
    member _.Hessian = hessian

    override _.ToString() =
        $"""loss {FSharp.Numbers.show loss}, gradient of {FSharp.Describe.count gradient.Size "element"}, {hessian}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// The Hessian of a scalar function or of a risk, known by its products and its quadratic forms.
[<RequireQualifiedAccess>]
module Hessian =

    let private name = "Hessian"

    let internal specify (loss: Tensor -> Tensor) : SecondOrder =
        {
            Name = name
            Function = loss
            Loss = loss
            Matvec = Linearization.hessian name loss
            Form = Linearization.hessianForm loss
        }

    let internal curvature (risk: EmpiricalRisk) : RiskCurvature =
        let risk = risk.Definition

        {
            Name = name
            Properties = OperatorProperties.Symmetric
            Risk = risk
            Extras = fun _ _ -> []
            Matrix = ValueSome RiskMatrix.Hessian
            At = fun data _ -> specify (risk.Loss data)
            Observe = fun theta data -> [ BatchLoss(risk.Loss data theta) ]
        }

    /// The value, gradient and Hessian of a risk at point after point: it is recorded and compiled at the first, and
    /// moving on costs one gradient and one linearization of each batch. A function that asks for values of tensors
    /// is recorded anew at every point.
    let family (risk: EmpiricalRisk) : Tensor -> LossPoint =
        let at = RiskCurvature.family (curvature risk)

        fun theta ->
            let point = at theta
            LossPoint(point.Loss.ToScalar(), point.Gradient.Value, point.Operator)

    /// The value of a risk, its gradient and its Hessian at a point of any shape: one gradient and one linearization
    /// of each batch. For a function of θ alone, a product Hv then costs about two gradients, and a quadratic form
    /// vᵀHv less than one. Over batches, data are read anew for every block of vectors, all of which go through one
    /// batch before the next is read: memory holds one batch at a time. A block of k vectors costs, for each batch, a
    /// gradient, a linearization and k products or forms; blocks of many vectors are therefore cheaper than many
    /// blocks. Where the loss of the first batch is not that of its two halves, samples are coupled, as by batch
    /// normalisation in training, and the operator's Warnings say so.
    /// Raises ShapeException for a loss that is not scalar, DTypeException for an Int32 point, NonFiniteException
    /// where the loss or its gradient is NaN or infinite (saying where that began), DifferentiationException where
    /// the loss does not depend on the point, or gives different values for the same point; over batches,
    /// DataException for none, and for a source that gives other data at a later pass (data in a new random order, or
    /// a source that can be read once), and ArgumentRangeException for a loss that is reduced in another way than was
    /// said. (Pearlmutter 1994, "Fast exact multiplication by the Hessian", for the products.)
    let evaluate (risk: EmpiricalRisk) (theta: Tensor) : LossPoint = family risk theta

    /// The Hessian of a risk at a point; see `evaluate` for its cost and the errors it raises.
    let ofRisk (risk: EmpiricalRisk) (theta: Tensor) : LinearOperator = (evaluate risk theta).Hessian

    /// The Hessian of a scalar function at a point; see `evaluate` for its cost and the errors it raises.
    let at (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator = ofRisk (Risk.ofFunction loss) theta
