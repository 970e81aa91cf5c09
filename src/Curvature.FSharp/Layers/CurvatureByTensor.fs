namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
open Curvature.FSharp

module internal Named =

    /// The item with a name. Raises ParameterException, with all names, where there is none.
    let find what (nameOf: 'T -> string) (items: 'T seq) (name: string) : 'T =
        match items |> Seq.tryFind (fun item -> nameOf item = name) with
        | Some item -> item
        | None ->
            let known = System.String.Join(", ", Seq.map nameOf items)
            Fail.parameter $"there is no {what} \"{name}\"; there are: {known}"

/// The curvature with respect to one tensor of parameters: the diagonal of its block of a matrix.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TensorCurvature
    internal
    (
        tensor: ParameterTensor,
        trace: Estimate<float>,
        mean: Estimate<float>,
        diagonal: Estimate<Tensor>,
        samples: float[]
    ) =
    /// The tensor.
    member _.Tensor = tensor

    /// Its full name, such as `0.weight`.
    member _.Name = tensor.Name

    /// How many parameters it has.
    member _.Size = tensor.Size

    /// The trace of its block.
    member _.Trace = trace

    /// The trace over the number of parameters: the mean of the diagonal, which compares tensors of different sizes.
    member _.MeanDiagonal = mean

    /// The diagonal of its block in the shape of the tensor, Float64, with a standard error for each entry.
    member _.Diagonal = diagonal

    /// What each random vector said of the trace; none for an exact one. Those of different tensors belong together.
    member internal _.Samples = samples

    override _.ToString() = $"{tensor.Name}: {trace}"

    member internal this.Text = this.ToString()

/// The curvature with respect to each tensor of parameters, all from the same products.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CurvatureByTensor internal (tensors: TensorCurvature[], trace: Estimate<float>, diagonal: Estimate<Tensor>) =
    /// A row for each tensor, in the order of the layout.
    member _.Tensors: IReadOnlyList<TensorCurvature> = tensors

    /// The trace of the whole matrix. Its standard error is not the sum of those of the tensors, whose errors are
    /// correlated.
    member _.Trace = trace

    /// The diagonal of the whole matrix, Float64 [n].
    member _.Diagonal = diagonal

    /// The row of a tensor by name. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): TensorCurvature =
            Named.find "parameter" (fun (row: TensorCurvature) -> row.Name) tensors name

    /// Raises ShapeException where parameters θ are not as many as those of the table.
    member internal _.RequireFit(what: string, theta: Tensor) =
        let size = tensors |> Array.sumBy _.Size

        if theta.Size <> size then
            Fail.shape $"{what}: θ has {theta.Size} elements, and the table {size} parameters"

    /// What it cost, and why it ended there.
    member _.Ledger = trace.Ledger

    override _.ToString() =
        Describe.lines (
            Seq.append [ $"all: {trace}" ] (tensors |> Seq.map (fun row -> $"{row.Name}: {row.Trace.Brief}"))
        )

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Numbers that came one after the other, all kept.
[<Sealed>]
type internal KeptSamples() =
    let values = ResizeArray<float>()

    member _.Add(more: float[]) = values.AddRange more

    member _.Values = values.ToArray()

    interface ISavable with
        member _.Save writer = SavedVector.write writer (values.ToArray())

        member _.Restore reader =
            let saved = SavedVector.read reader reader.Samples
            values.Clear()
            values.AddRange saved

/// Traces and diagonals of a second-order matrix, tensor by tensor: of a Hessian, a Gauss–Newton or a Fisher matrix
/// whose rows are the parameters of a network, at one point, for a batch or a data set.
[<RequireQualifiedAccess>]
module CurvatureByTensor =

    let private check (layout: ParameterLayout) (operator: LinearOperator) =
        OperatorParts.requireSquare "CurvatureByTensor" operator

        if operator.Columns <> layout.Size then
            Fail.shape (
                $"CurvatureByTensor: {operator.Name} has {operator.Columns} columns, and the layout {layout.Size} "
                + "parameters"
            )

    let private cut (tensor: ParameterTensor) (t: Tensor) =
        Tensor.slice 0 tensor.Offset tensor.Size t |> Tensor.reshape (List.ofArray tensor.Shape)

    let private table
        (layout: ParameterLayout)
        (total: Estimate<float>)
        (traces: (Estimate<float> * float[])[])
        (law: SampleLaw)
        (diagonal: Tensor, errors: Tensor)
        =
        let ledger = total.Ledger

        let row i (tensor: ParameterTensor) =
            let trace, samples = traces[i]

            TensorCurvature(
                tensor,
                trace,
                Estimates.scaled (1.0 / float (max 1 tensor.Size)) trace,
                Estimates.sampledVector law (cut tensor diagonal) (cut tensor errors) ledger,
                samples
            )

        CurvatureByTensor(
            layout.Tensors |> Seq.mapi row |> Seq.toArray,
            total,
            Estimates.sampledVector law diagonal errors ledger
        )

    /// From the diagonal of the whole matrix.
    let private fromDiagonal (layout: ParameterLayout) =
        ExactResult.ofDiagonal (fun dtype values ledger ->
            let trace (tensor: ParameterTensor) =
                ExactResult.sum dtype values[tensor.Offset .. tensor.Offset + tensor.Size - 1] ledger, [||]

            let diagonal = Tensor.ofArray [ values.Length ] values

            table
                layout
                (ExactResult.sum dtype values ledger)
                (layout.Tensors |> Seq.map trace |> Seq.toArray)
                SampleLaw.symmetric
                (diagonal, Rounding.ofElements dtype diagonal))

    /// The state of a measurement: moments of the forms of each tensor, and of the diagonal.
    let private accumulator (layout: ParameterLayout) (operator: LinearOperator) : Accumulator<CurvatureByTensor> =
        check layout operator
        let tensors = Seq.toArray layout.Tensors
        // All tensors have the same vectors, which are looked at once.
        let shape = ProbeShape()
        let moments = tensors |> Array.map (fun _ -> FormMoments shape)
        let samples = tensors |> Array.map (fun _ -> KeptSamples())
        let total = FormMoments shape
        let diagonal = RunningVectorMoments(layout.Size, operator.Device)
        let dimension = ErrorDimension(tensors.Length, operator.Device)

        { new Accumulator<_>() with
            member _.Add sample =
                shape.Add sample.Vectors
                total.AddForms sample.Forms
                diagonal.AddRows sample.Weighted

                let forms (tensor: ParameterTensor) =
                    Tensor.slice 1 tensor.Offset tensor.Size sample.Weighted
                    |> Tensor.sumAxes [ 1 ]
                    |> Tensor.convert DType.Float64

                let traces = tensors |> Array.map forms

                traces
                |> Array.iteri (fun i block ->
                    let values = block.ToArray()
                    moments[i].AddForms values
                    samples[i].Add values)

                if traces.Length > 1 then
                    dimension.AddRows(Tensor.stack 1 (List.ofArray traces))

            member _.Summaries = [| struct (Summaries.ofMany moments dimension, true) |]

            member _.Finish ledger =
                let estimate (moments: FormMoments) =
                    let error =
                        if ledger.IsExact then
                            Rounding.ofProduct operator.DType moments.Mean
                        else
                            moments.StandardError

                    Estimates.sampled moments.Law moments.Mean error ledger

                let errors =
                    if ledger.IsExact then
                        Rounding.ofElements operator.DType diagonal.Mean
                    else
                        diagonal.StandardError

                table
                    layout
                    (estimate total)
                    (Array.map2 (fun moments (kept: KeptSamples) -> estimate moments, kept.Values) moments samples)
                    (SampleLaw.ofEntries shape.IsSign shape.Touched diagonal.Count)
                    (diagonal.Mean, errors)

            member _.State =
                [
                    yield diagonal
                    yield shape
                    yield dimension
                    yield total
                    yield! Seq.cast moments
                    yield! Seq.cast samples
                ]
        }

    /// Trace and diagonal of the block of each tensor: E of z∘Az, summed over the tensor. A stopping rule sees the
    /// norms of the traces of all tensors and of their standard errors. Raises ShapeException for an operator of
    /// another size than the layout.
    let measurement (layout: ParameterLayout) : Measurement<CurvatureByTensor> =
        Measurement(true, accumulator layout, fromDiagonal layout)

    /// Trace and diagonal of the block of each tensor, with standard errors, from signs: one product a sample for all
    /// of them. The variance of one sample of a block's trace is twice the squared off-diagonal of the block, and the
    /// squares of its rows outside the block.
    let estimate (layout: ParameterLayout) stop key (operator: LinearOperator) : CurvatureByTensor =
        Hutchinson.estimate Probe.rademacher (measurement layout) stop key operator

    /// Exact traces and diagonals: n quadratic forms, or n products where the operator has none.
    let exact (layout: ParameterLayout) (operator: LinearOperator) : CurvatureByTensor =
        Exact.measure (measurement layout) operator
