namespace Curvature

open System.Diagnostics

/// A loss at a point, and its gradient.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LossGradient internal (loss: float, gradient: Tensor) =
    /// The value of the loss.
    member _.Loss = loss

    /// The gradient, in the shape of the point.
    member _.Gradient = gradient

    override _.ToString() =
        $"""loss {FSharp.Numbers.show loss}, gradient of {FSharp.Describe.count gradient.Size "element"}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Gradients of risks.
[<RequireQualifiedAccess>]
module Gradient =

    let private name = "Gradient"

    let private checkFinite suffix loss theta (what: string) (value: Tensor) =
        match Finite.describe value with
        | ValueSome where -> Fail.nonFinite $"{name}{suffix}: the {what} is {where}; {Finite.trace loss theta}"
        | ValueNone -> value

    /// Loss and gradient of a batch: compiled once for each size of a batch. A loss that asks for values on its way
    /// cannot be recorded, and is interpreted. A recording does not notice bad data, such as labels out of range. So
    /// where `isNew` says that a batch comes for the first time, its loss is also computed without the recording.
    let internal ofBatch (risk: RiskDefinition) : bool -> Tensor -> RiskBatch -> Tensor * Tensor =
        let interpreted (theta: Tensor) (batch: RiskBatch) = Linearization.gradient name batch.Loss theta

        let compiled =
            Compile.funcs (fun inputs ->
                let loss, gradient = Linearization.gradient name (risk.Loss inputs.Tail) inputs.Head
                [ loss; gradient ])

        let mutable recordable = true

        fun isNew theta batch ->
            if recordable && not batch.IsTerm then
                try
                    let values = compiled (theta :: batch.Data)
                    if isNew && not batch.Data.IsEmpty then batch.Loss theta |> ignore
                    values[0], values[1]
                with :? AbstractValueException ->
                    recordable <- false
                    interpreted theta batch
            else
                interpreted theta batch

    /// Loss and gradient of a batch, which must be finite.
    let internal parts (gradient: Tensor -> RiskBatch -> Tensor * Tensor) (theta: Tensor) (batch: RiskBatch) =
        let loss, slope = gradient theta batch
        let check = checkFinite batch.Suffix batch.Loss theta
        [ check "loss" loss; check "gradient" slope ]

    let private totals isCompiled (gradient: Tensor -> RiskBatch -> Tensor * Tensor) (risk: EmpiricalRisk) theta =
        Linearization.checkPoint name theta
        let question = RiskQuestion.LossGradient isCompiled
        let totals = RiskPass.totalsAsked name theta risk.Definition question (parts gradient theta)
        LossGradient(totals[0].ToScalar(), Tensor.convert theta.DType totals[1])

    /// Value and gradient without a recording, which would fix what a random function drew.
    let internal uncompiled (risk: EmpiricalRisk) (theta: Tensor) : LossGradient =
        totals false (fun theta batch -> Linearization.gradient name batch.Loss theta) risk theta

    /// The value of a risk and its gradient at point after point: one gradient of each batch, one batch in memory at
    /// a time, compiled at the first. Raises DataException for no batches, NonFiniteException where loss or gradient
    /// are NaN or infinite, and DifferentiationException for a loss that differs from call to call.
    let family (risk: EmpiricalRisk) : Tensor -> LossGradient =
        let gradient = ofBatch risk.Definition
        let mutable isFirst = true

        fun theta ->
            let ofBatch theta (batch: RiskBatch) =
                if isFirst && batch.Number = 0 then Determinism.require name batch.Loss theta
                gradient isFirst theta batch

            let found = totals true ofBatch risk theta
            isFirst <- false
            found

    /// The value of a risk and its gradient at θ; see `family`.
    let ofRisk (risk: EmpiricalRisk) (theta: Tensor) : LossGradient = family risk theta
