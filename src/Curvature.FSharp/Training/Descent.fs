namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// What a step of descent gives.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type DescentStep internal (theta: Tensor, optimizer: Optimizer, loss: float) =
    /// The parameters after the step.
    member _.Theta = theta

    /// The method with its next state.
    member _.Optimizer = optimizer

    /// The loss before the step.
    member _.Loss = loss

    override _.ToString() = $"a step of {optimizer.Name} from a loss of {Numbers.show loss}"

    member internal this.Text = this.ToString()

/// Steps of descent along the losses of a risk, for loops of one's own: unlike a gradient, it gives a method whatever
/// it asks of the loss. Gradients and products are compiled once for each size of a batch. Made by the functions of the
/// module Descent.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Descent internal (risk: EmpiricalRisk) =
    let losses = BatchLosses risk
    let mutable steps = 0

    let check (values: float[]) =
        if not (System.Double.IsFinite values[0]) then
            Fail.nonFinite $"Descent: the loss became {values[0]}; a smaller learning rate may help"

    /// A step; `isNew` checks the data of a batch that comes for the first time, and `check` the loss.
    member internal _.StepAlong(optimizer: Optimizer, theta, batch: RiskBatch, isNew, check: float[] -> unit) =
        let value, gradient = losses.Gradient(isNew, theta, batch)
        let loss = value.ToScalar()
        check [| loss |]

        let next, following =
            optimizer.StepFrom
                {
                    Theta = theta
                    Loss = loss
                    Gradient = gradient
                    Factor = 1.0
                    Source = ValueSome struct (losses, batch)
                }

        DescentStep(next, following, loss)

    member internal _.Definition = losses.Definition

    /// A step from θ along the loss of a batch. Raises DataException for a risk without data, NonFiniteException for a
    /// loss that is not finite, and whatever the method raises.
    member this.Step(optimizer: Optimizer, theta: Tensor, batch: Batch) : DescentStep =
        System.ArgumentNullException.ThrowIfNull(optimizer, nameof optimizer)
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)
        System.ArgumentNullException.ThrowIfNull(batch, nameof batch)

        if not risk.HasData then
            Fail.data "Descent: the risk is a function of θ alone, which takes no batch"

        Linearization.checkPoint "Descent" theta
        steps <- steps + 1
        let batch = RiskPass.onDevice "Descent" theta.Device losses.Definition 0 (steps - 1) batch
        this.StepAlong(optimizer, theta, batch, true, check)

    /// A step from θ along a function of θ alone. Raises DataException for a risk over batches, NonFiniteException for
    /// a loss that is not finite, and whatever the method raises.
    member this.Step(optimizer: Optimizer, theta: Tensor) : DescentStep =
        System.ArgumentNullException.ThrowIfNull(optimizer, nameof optimizer)
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)

        if risk.HasData then
            Fail.data "Descent: the risk is over batches; give the batch of the step"

        Linearization.checkPoint "Descent" theta
        this.StepAlong(optimizer, theta, RiskPass.ofFunction losses.Definition, false, check)

    override _.ToString() = $"steps along {risk}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Steps of descent for loops of one's own.
[<RequireQualifiedAccess>]
module Descent =

    /// Along the losses of a risk. Its own batches are not read: each step is given one. Raises ArgumentRangeException
    /// for a sum over batches with a term without data.
    let ofRisk (risk: EmpiricalRisk) : Descent = Descent risk

    /// Along a scalar function of θ.
    let ofFunction (loss: Tensor -> Tensor) : Descent = Descent(Risk.ofFunction loss)
