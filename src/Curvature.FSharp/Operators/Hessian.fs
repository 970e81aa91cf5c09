namespace Curvature

/// A loss at a point: its value, its gradient, and its second derivative.
[<Sealed; NoEquality; NoComparison>]
type LossPoint internal (loss: float, gradient: Tensor, hessian: LinearOperator) =
    /// The value of the loss.
    member _.Loss = loss

    /// The gradient, in the shape of the point.
    member _.Gradient = gradient

    /// The Hessian, of size n×n for a point of n elements in row-major order.
    member _.Hessian = hessian

namespace Curvature.FSharp

open Curvature

/// The Hessian of a scalar function, known by its products and its quadratic forms.
[<RequireQualifiedAccess>]
module Hessian =

    let internal specify (loss: Tensor -> Tensor) : SecondOrder =
        {
            Name = "Hessian"
            Properties = OperatorProperties.Symmetric
            Function = loss
            Loss = loss
            Products = SecondOrder.hessian "Hessian" loss
            Forms = SecondOrder.hessianForm loss
        }

    /// The loss, gradient and Hessian at point after point: the function is recorded and compiled at the first, and moving on costs one
    /// gradient and one linearization. A function that asks for values of tensors is recorded anew at every point.
    let family (loss: Tensor -> Tensor) : Tensor -> LossPoint =
        let operator = SecondOrder.family (specify loss)

        fun theta ->
            match operator theta with
            | value :: gradient :: _, hessian -> LossPoint(value.ToScalar(), gradient, hessian)
            | _ -> invalidOp "the products of a Hessian come with the loss and its gradient"

    /// The loss, its gradient and its Hessian at a point of any shape: one gradient and one linearization.
    /// A product Hv then costs about two gradients, and a quadratic form vᵀHv less than one.
    /// Raises ShapeException for a loss that is not scalar, DTypeException for an Int32 point, NonFiniteException where the
    /// loss or its gradient is NaN or infinite (saying where that began), and DifferentiationException where the loss does not depend
    /// on the point, or gives different values for the same point. (Pearlmutter 1994, "Fast exact multiplication by the Hessian", for the products.)
    let evaluate (loss: Tensor -> Tensor) (theta: Tensor) : LossPoint = family loss theta

    /// The Hessian of a scalar function at a point; see `evaluate` for its cost and the errors it raises.
    let at (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator = (evaluate loss theta).Hessian

    /// The loss, gradient and Hessian of the mean or sum of a loss over batches; see `overBatches`.
    let evaluateOverBatches
        (reduction: Reduction)
        (loss: Batch -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LossPoint =
        let spec =
            {
                Name = "Hessian"
                Properties = OperatorProperties.Symmetric
                Extras = fun _ _ _ -> []
                At = fun batch _ -> specify (loss batch)
                Observe = fun theta batch -> [ BatchLoss(loss batch theta) ]
            }

        match OverBatches.create spec reduction batches theta with
        | value :: gradient :: _, hessian -> LossPoint(value.ToScalar(), gradient, hessian)
        | _ -> invalidOp "the products of a Hessian come with the loss and its gradient"

    /// The Hessian of a loss over many batches at θ. The loss of one batch is the mean over its samples (Reduction.Mean: batches then
    /// count by their size) or the sum (Reduction.Sum). The batches are read once at once, and anew for every block of vectors, all of
    /// which go through one batch before the next is read: memory holds one batch at a time. A block of k vectors costs, for each
    /// batch, a gradient, a linearization and k products or forms; blocks of many vectors are therefore cheaper than many blocks.
    /// The loss may depend on the batch that it is given alone. Sums are in Float64. Where the loss of the first batch is not that of its two
    /// halves, samples are coupled, as by batch normalisation in training, and the operator's Warnings say so.
    /// Raises DataException for no batches, and for a source that gives other data at a later pass (data in a new random order, or a source
    /// that can be read once); ArgumentRangeException for a loss that is reduced in another way than is said; otherwise as `evaluate`.
    let overBatches
        (reduction: Reduction)
        (loss: Batch -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LinearOperator =
        (evaluateOverBatches reduction loss batches theta).Hessian
