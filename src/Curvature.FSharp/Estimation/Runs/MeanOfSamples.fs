namespace Curvature.FSharp

open Curvature

/// The mean of what a measurement says of independent random vectors: one product each, or one quadratic form where
/// that is enough. An operator of one column is known from one product, and one of no column from none.
[<Sealed>]
type internal MeanOfSamples<'T>(probe: Probe, measurement: Measurement<'T>, key: Key, operator: LinearOperator) =
    inherit Incremental<'T>()
    let n = operator.Columns
    let isKnownFromOne = n = 1 && not measurement.IsOfVectors
    let accumulator = measurement.Start operator
    let forms = if measurement.NeedsProduct then ValueNone else operator.FormsNamed

    let blockForms =
        ValueOption.map2 (fun ranges forms -> forms ranges) measurement.Ranges operator.Definition.BlockForms

    let mutable samples = 0
    let mutable adopted = 0
    let mutable mark = ValueNone

    /// Draws and multiplies vectors number first, first + 1, …
    let draw first count : SampleBlock =
        let name row = $"probe {first + row}"

        let vectors =
            if isKnownFromOne then
                Tensor.ones operator.DType [ count; 1 ] |> Tensor.toDevice operator.Device
            else
                Probe.drawOn operator.Device probe key n (first, count) operator.DType

        match forms with
        | ValueSome forms -> SampleBlock(vectors, ValueNone, ValueSome(forms name vectors))
        | ValueNone when blockForms.IsSome ->
            SampleBlock(vectors, ValueNone, ValueNone, ValueSome(blockForms.Value vectors))
        | ValueNone -> SampleBlock(vectors, ValueSome(operator.Multiply(vectors, name)), ValueNone)

    let isEmpty = n = 0 || operator.Rows = 0 && n = 1

    /// Adds samples whose products were counted elsewhere.
    member _.Adopt(block: SampleBlock) =
        let count = block.Vectors.Signature.Shape[0]

        if count > 0 then
            accumulator.Add block
            samples <- samples + count
            adopted <- adopted + count

    override _.Samples = samples
    override _.TakesForms = forms.IsSome

    override _.Spent =
        if forms.IsSome then
            { Cost.none with Forms = samples - adopted }
        else
            Cost.products (samples - adopted)

    override _.IsExact = isEmpty || isKnownFromOne && samples > 0

    override _.Advance count =
        let count = if isKnownFromOne then 1 else count
        let block = draw samples count
        if mark.IsNone then mark <- ValueSome block.Mark
        accumulator.Add block
        samples <- samples + count

    override _.Summaries = accumulator.Summaries
    override _.Finish ledger = accumulator.Finish ledger

    override this.Saved =
        ValueSome
            {
                Facts =
                    [
                        "the operator", string operator
                        "the key", string key
                        "the probe", string probe
                        "the result", typeof<'T>.ToString()
                    ]
                Ask = fun () -> (draw 0 1).Mark
                Mark = fun () -> mark
                Parts = (this :> ISavable) :: accumulator.State
            }

    interface ISavable with
        member _.Save writer =
            writer.Write samples
            writer.Write mark.IsSome
            mark |> ValueOption.iter writer.Write

        member _.Restore reader =
            samples <- reader.ReadCount()
            if reader.ReadBoolean() then mark <- ValueSome(reader.ReadDouble())
