namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// What is asked of each sample of a risk.
[<NoEquality; NoComparison>]
type internal SampleFunction =
    {
        Name: string
        /// What is seen of a batch, to tell whether its samples are coupled; see SampleCoupling.
        Observe: RiskData -> Tensor -> Observation list
        /// The results for one sample, which is a batch of its own.
        OfSample: RiskData -> Tensor -> Tensor list
        /// How many numbers the results for one sample have, from a batch.
        Numbers: RiskBatch -> Tensor -> int64
    }

/// Going through the samples of a risk one by one, many at a time. A sample is a batch of its own to the loss, and
/// `vmap` runs the program of one sample on a block of them.
module internal SamplePass =

    /// The samples of a batch from a position on.
    let private cut start count (data: RiskData) : RiskData = data |> List.map (Tensor.slice 0 start count)

    /// The results for all samples of a block, stacked. A function that asks for values of tensors runs on one sample
    /// after the other.
    let private onBlock (f: SampleFunction) : Tensor -> RiskData -> Tensor list =
        let onStack (theta: Tensor) (data: Tensor list) =
            let ofSample (sample: Tensor[]) =
                f.OfSample [ for t in sample -> Tensor.unsqueeze 0 t ] theta |> List.toArray

            Batching.vmap ofSample (List.toArray data) |> List.ofArray

        let compiled = Compile.funcs (fun inputs -> onStack inputs.Head inputs.Tail)

        let oneByOne theta (data: RiskData) =
            List.init data.Head.Signature.Shape[0] (fun row -> f.OfSample (cut row 1 data) theta)
            |> List.transpose
            |> List.map (Tensor.stack 0)

        let mutable recordable = true

        fun theta data ->
            if recordable then
                try
                    compiled (theta :: data)
                with :? AbstractValueException ->
                    recordable <- false
                    oneByOne theta data
            else
                oneByOne theta data

    /// Raises where a batch cannot be evaluated, or not to finite numbers: recordings do not notice labels out of
    /// range.
    let private checkValues (f: SampleFunction) (theta: Tensor) (batch: RiskBatch) =
        for seen in f.Observe batch.Data theta do
            match seen with
            | BatchLoss value -> Finite.check $"{f.Name}{batch.Suffix}: the loss" value
            | SampleRows values -> Finite.check $"{f.Name}{batch.Suffix}: the outputs" values

    /// Raises DifferentiationException where the samples of a batch are coupled.
    let private requireIndependent (f: SampleFunction) (risk: RiskDefinition) (theta: Tensor) (batch: RiskBatch) =
        let observe (part: Batch) = f.Observe [ part.Inputs; part.Targets ] theta

        match SampleCoupling.warnings f.Name risk.Reduction observe (Batch(batch.Data[0], batch.Data[1])) with
        | [] -> ()
        | warning :: _ -> Fail.differentiation $"{warning}. There are no quantities of single samples"

    let private through
        (onBlock: Tensor -> RiskData -> Tensor list)
        (f: SampleFunction)
        (options: SampleOptions)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        : Tensor list seq =
        seq {
            let mutable isChecked = false

            for batch in RiskPass.batches f.Name theta.Device 0 risk.Definition do
                checkValues f theta batch

                if batch.Size > 1 && not isChecked then
                    isChecked <- true
                    requireIndependent f risk.Definition theta batch

                let size = options.BlockSize(f.Numbers batch theta, theta.DType)

                for start in 0..size .. batch.Size - 1 do
                    options.Cancellation.ThrowIfCancellationRequested()
                    let results = onBlock theta (cut start (min size (batch.Size - start)) batch.Data)

                    for result in results do
                        Finite.check $"{f.Name}{batch.Suffix}: a result of the samples from {start} on" result

                    yield results
        }

    /// The results for the samples of the data in order, stacked block by block: a block has samples of one batch, and
    /// no more than the memory of the options holds.
    /// At point after point: recorded and compiled at the first.
    /// Raises DataException for a risk without data or batches, NonFiniteException for results that are NaN or
    /// infinite, and DifferentiationException where samples are coupled.
    let family (f: SampleFunction) : SampleOptions -> EmpiricalRisk -> Tensor -> Tensor list seq =
        let onBlock = onBlock f

        fun options risk theta ->
            Linearization.checkPoint f.Name theta

            if not risk.HasData then
                Fail.data $"{f.Name}: the risk is a function of θ alone, which has no samples"

            through onBlock f options risk theta

    /// The same at one point.
    let blocks (options: SampleOptions) (f: SampleFunction) (risk: EmpiricalRisk) (theta: Tensor) : Tensor list seq =
        family f options risk theta

    /// Raises ArgumentRangeException where a matrix has more entries than are written out.
    let checkEntries name (rows: int) (columns: int) =
        let size = int64 rows * int64 columns

        if size > Shape.denseLimit then
            Fail.range (
                $"{name}: the matrix has {rows} rows or more, which makes {size} entries, and the limit is "
                + $"{Shape.denseLimit}"
            )

    /// The blocks of rows of a matrix, one below the other.
    let stackRows name (blocks: Tensor seq) : Tensor =
        let all = List<Tensor>()
        let mutable rows = 0

        for block in blocks do
            rows <- rows + block.Signature.Shape[0]
            checkEntries name rows (block.Size / block.Signature.Shape[0])
            all.Add block

        Tensor.concat 0 (List.ofSeq all)
