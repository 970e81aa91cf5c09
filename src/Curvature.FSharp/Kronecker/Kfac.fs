namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Kronecker-factored approximate curvature: the Gauss–Newton or Fisher matrix of a model as a block for each layer,
/// A ⊗ G, of the second moments A of its inputs and G of the gradients with respect to its outputs (Martens & Grosse
/// 2015, section 3; Grosse & Martens 2016 for convolutions; eq. 3 of docs/kfac.md), and the same with corrected
/// eigenvalues (EK-FAC, George et al. 2018). Layers are found in the derivative of the model, which is a linear
/// program: any function θ ↦ outputs will do.
[<RequireQualifiedAccess>]
module Kfac =

    let private name = "Kfac"

    /// One estimation: what is approximated, where, and how.
    [<NoEquality; NoComparison>]
    type private Run =
        {
            Options: KfacOptions
            Layout: ParameterLayout
            Risk: EmpiricalRisk
            Theta: Tensor
            Model: RiskData -> Tensor -> Tensor
            Noise: Tensor -> RiskBatch -> Tensor list
            /// The uses for the first batch, and the blocks that they make up.
            First: ParameterUses
            Plan: BlockPlan
        }

    /// Columns are pulled back this many elements at a time.
    let private largestChunk = 1L <<< 25

    let private isDiagonal (options: KfacOptions) (positions: int[]) = positions.Length > options.LargestExactBlock

    let private numbersOf (positions: int[]) : Dictionary<int, int> =
        let numbers = Dictionary<int, int>()
        positions |> Array.iteri (fun number position -> numbers[position] <- number)
        numbers

    // ---- one batch

    /// Sums, over the columns of a root, of what a function makes of columns and their pull-backs to the uses.
    let private overColumns (uses: ParameterUses) (columns: Tensor) (sums: Tensor -> Tensor[] -> Tensor list) =
        let total = columns.Shape[0]
        let elements = uses.Program.Variables |> Array.sumBy (fun variable -> int64 (Shape.size variable.Shape))
        let chunk = int (max 1L (min (int64 total) (largestChunk / max 1L elements)))

        [
            for first in 0..chunk .. total - 1 ->
                let some = Tensor.slice 0 first (min chunk (total - first)) columns
                sums some (uses.Pull some)
        ]
        |> List.reduce (List.map2 (+))

    /// What the columns of a batch add to each block: G for each use of weights, and the block of other parameters.
    let private gradientSums (run: Run) (uses: ParameterUses) (columns: Tensor) (pulled: Tensor[]) : Tensor list =
        [
            for block in run.Plan.Blocks do
                match block with
                | PlannedBlock.Product(members, _, _) ->
                    for number, _ in members do
                        UseSums.gradients run.Options.Sharing uses.Uses[number] pulled[number]
                | PlannedBlock.Elements(members, positions) ->
                    members
                    |> List.map (fun number -> uses.Uses[number], pulled[number])
                    |> UseSums.ofElements (numbersOf positions)
                    |> UseSums.secondMoments (isDiagonal run.Options positions)
                | PlannedBlock.BySample positions ->
                    UseSums.bySample uses positions columns |> UseSums.secondMoments (isDiagonal run.Options positions)
                | PlannedBlock.Unused _ -> ()
        ]

    /// The same where gradients do not count.
    let private unitSums (run: Run) (uses: ParameterUses) : Tensor list =
        [
            for block in run.Plan.Blocks do
                match block with
                | PlannedBlock.Product(members, _, struct (groups, inputs, outputs)) ->
                    for _, isExchanged in members do
                        let size = if isExchanged then inputs else outputs

                        Tensor.eye DType.Float64 size |> Tensor.unsqueeze 0 |> Tensor.broadcastTo [ groups; size; size ]
                | PlannedBlock.Elements(members, positions) ->
                    members
                    |> List.map (fun number -> uses.Uses[number])
                    |> UseSums.squaredCoefficients (numbersOf positions)
                | PlannedBlock.BySample positions -> Tensor.ones DType.Float64 [ positions.Length ]
                | PlannedBlock.Unused _ -> ()
        ]

    let private inputSums (run: Run) (uses: ParameterUses) : Tensor list =
        [
            for block in run.Plan.Blocks do
                match block with
                | PlannedBlock.Product(members, _, _) ->
                    for number, _ in members do
                        UseSums.inputs run.Options.Sharing uses.Uses[number].Kind
                | _ -> ()
        ]

    let private usesOf (run: Run) (batch: RiskBatch) : ParameterUses =
        let uses = ParameterUses.find name (run.Model batch.Data) run.Theta
        BlockPlan.check batch.Suffix run.First uses
        Finite.check $"{name}{batch.Suffix}: the outputs" uses.Outputs
        uses

    let private columnsOf (run: Run) (batch: RiskBatch) (uses: ParameterUses) : Tensor voption =
        let noise = run.Noise run.Theta batch |> List.map (Tensor.toDevice run.Theta.Device)
        OutputRoots.find run.Options.Kind run.Risk noise batch uses.Outputs

    /// A for each use of weights, then what depends on gradients.
    let private factors (run: Run) (batch: RiskBatch) : Tensor list =
        let uses = usesOf run batch

        let ofGradients =
            match columnsOf run batch uses with
            | ValueSome columns -> overColumns uses columns (gradientSums run uses)
            | ValueNone -> unitSums run uses

        inputSums run uses @ ofGradients

    // ---- blocks

    /// Factors of several uses of the same weights. Each product stays the same when its factors are brought to the
    /// same mean eigenvalue, so that their sums weigh the uses alike; the sum of the inputs' factors is divided by the
    /// number of uses, as the mean over positions is.
    let private added (members: (int * bool) list) (parts: (Tensor * Tensor) list) : Tensor * Tensor =
        let mean (t: Tensor) =
            if t.Rank = 1 then
                (Tensor.mean t).ToScalar()
            else
                (Tensor.mean (Tensor.diagonal t)).ToScalar()

        let full (t: Tensor) = if t.Rank = 1 then Tensor.diag t else t

        let balanced =
            List.map2
                (fun (_, isExchanged) (a: Tensor, g: Tensor) ->
                    let ofA, ofG = mean a, mean g
                    let factor = if ofA > 0.0 && ofG > 0.0 then sqrt (ofG / ofA) else 1.0
                    let a, g = factor * full a, g / factor
                    if isExchanged then g, a else a, g)
                members
                parts

        (balanced |> List.map fst |> List.reduce (+)) / float members.Length,
        balanced |> List.map snd |> List.reduce (+)

    /// One block for each group, from the sums of its uses.
    let private productSpectra members (struct (groups, _, outputs): struct (int * int * int)) parts isUnit =
        match parts with
        | [ (a: Tensor), (g: Tensor) ] when a.Rank = 1 ->
            [ BlockSpectrum.ofDiagonalInputs (a.ToArray()) (Tensor.item 0 0 g) ]
        | [ a, g ] ->
            [
                for group in 0 .. groups - 1 ->
                    if isUnit then
                        BlockSpectrum.ofInputs (Tensor.item 0 group a) outputs
                    else
                        BlockSpectrum.ofFactors (Tensor.item 0 group a) (Tensor.item 0 group g)
            ]
        | _ ->
            let single (t: Tensor) = if t.Rank = 3 then Tensor.item 0 0 t else t
            let a, g = parts |> List.map (fun (a, g) -> single a, single g) |> added members
            [ BlockSpectrum.ofFactors a g ]

    let private exactSpectrum (sum: Tensor) =
        if sum.Rank = 1 then
            BlockSpectrum.ofDiagonal (sum.ToArray() |> Array.map (max 0.0))
        else
            BlockSpectrum.ofMatrix sum

    let private exactKind (sum: Tensor) =
        if sum.Rank = 1 then
            KroneckerBlockKind.ExactDiagonal
        else
            KroneckerBlockKind.Exact

    /// The blocks in the order of the plan, from the sums of `factors`, those of gradients times a number.
    let private spectra (run: Run) (scale: float) (sums: Tensor list) : (KroneckerBlockKind * BlockSpectrum) list list =
        let uses =
            run.Plan.Blocks
            |> List.sumBy (fun block ->
                match block with
                | PlannedBlock.Product(members, _, _) -> members.Length
                | _ -> 0)

        let inputs, gradients = List.splitAt uses sums
        let inputs = Queue<Tensor> inputs
        let gradients = Queue<Tensor>(gradients |> List.map (fun sum -> scale * sum))

        let isUnit =
            match run.Options.Kind with
            | KfacKind.InputsOnly -> true
            | _ -> false

        [
            for block in run.Plan.Blocks ->
                match block with
                | PlannedBlock.Product(members, _, sizes) ->
                    let parts = members |> List.map (fun _ -> inputs.Dequeue(), gradients.Dequeue())

                    productSpectra members sizes parts isUnit
                    |> List.map (fun spectrum -> KroneckerBlockKind.Product, spectrum)
                | PlannedBlock.Elements _
                | PlannedBlock.BySample _ ->
                    let sum = gradients.Dequeue()
                    [ exactKind sum, exactSpectrum sum ]
                | PlannedBlock.Unused positions ->
                    [ KroneckerBlockKind.Unused, BlockSpectrum.ofDiagonal (Array.zeroCreate positions.Length) ]
        ]

    // ---- corrected eigenvalues

    /// Bases of the groups of a block as stacks.
    let private bases (spectra: BlockSpectrum list) : Tensor voption * Tensor voption =
        let stacked (choose: BlockSpectrum -> Tensor voption) =
            match spectra |> List.map choose with
            | ValueNone :: _ -> ValueNone
            | bases -> bases |> List.map _.Value |> Tensor.stack 0 |> ValueSome

        stacked _.InputBasis, stacked _.OutputBasis

    /// The corrected eigenvalues of each product, [groups; inputs; outputs].
    let private correctedSums (run: Run) (blocks: BlockSpectrum list list) (batch: RiskBatch) : Tensor list =
        let uses = usesOf run batch

        let sums (_: Tensor) (pulled: Tensor[]) =
            List.zip run.Plan.Blocks blocks
            |> List.choose (fun (block, spectra) ->
                match block with
                | PlannedBlock.Product(members, _, _) ->
                    let inputBasis, outputBasis = bases spectra

                    members
                    |> List.map (fun (number, isExchanged) -> uses.Uses[number], isExchanged, pulled[number])
                    |> UseSums.corrected inputBasis outputBasis
                    |> Some
                | _ -> None)

        match columnsOf run batch uses with
        | ValueSome columns -> overColumns uses columns sums
        | ValueNone -> []

    let private correct
        (run: Run)
        (scale: float)
        (data: FixedData)
        (blocks: (KroneckerBlockKind * BlockSpectrum) list list)
        =
        let divisor = RiskPass.divisor { run.Risk.Definition with Reduction = Reduction.Mean } data.Samples

        let sums =
            data.Batches
            |> RiskPass.sums (correctedSums run (blocks |> List.map (List.map snd)))
            |> List.map (fun sum -> scale / divisor * sum)
            |> Queue<Tensor>

        List.map2
            (fun block spectra ->
                match block with
                | PlannedBlock.Product _ ->
                    let values = sums.Dequeue()

                    spectra
                    |> List.mapi (fun group (_, spectrum) ->
                        let ofGroup = (Tensor.item 0 group values).ToArray()
                        KroneckerBlockKind.Corrected, BlockSpectrum.withValues ofGroup spectrum)
                | _ -> spectra)
            run.Plan.Blocks
            blocks

    // ---- all together

    let private check (options: KfacOptions) (layout: ParameterLayout) (theta: Tensor) =
        Linearization.checkPoint name theta

        if theta.Shape <> [| layout.Size |] then
            Fail.shape (
                $"{name}: the parameters are one vector of shape [{layout.Size}], and this one has shape "
                + $"{Shape.show theta.Shape}"
            )

        match options.Kind with
        | KfacKind.InputsOnly when options.CorrectsEigenvalues ->
            Fail.range $"{name}: eigenvalues are corrected by gradients, and the kind is inputs only"
        | _ -> ()

    let private start (options: KfacOptions) (layout: ParameterLayout) (risk: EmpiricalRisk) (theta: Tensor) : Run =
        let struct (model, _) = RiskModel.require name risk
        let batch = RiskPass.batches name theta.Device 0 risk.Definition |> Seq.head
        let uses = ParameterUses.find name (model batch.Data) theta

        if risk.HasData && uses.Outputs.Shape[0] <> batch.Size then
            Fail.shape (
                $"{name}: the outputs need a row for each of {batch.Size} samples, and they have shape "
                + $"{Shape.show uses.Outputs.Shape}"
            )

        {
            Options = options
            Layout = layout
            Risk = risk
            Theta = theta
            Model = model
            Noise =
                match options.Kind with
                | KfacKind.Fisher kind -> Fisher.noise kind model
                | _ -> fun _ _ -> []
            First = uses
            Plan = BlockPlan.make layout uses
        }

    /// A block of the operator for each group.
    let private blocksOf (run: Run) (block: PlannedBlock) (spectra: (KroneckerBlockKind * BlockSpectrum) list) =
        let positions = BlockPlan.positions block
        let size = positions.Length / spectra.Length

        spectra
        |> List.mapi (fun group (kind, spectrum) ->
            let ofGroup = positions[group * size .. (group + 1) * size - 1]
            let place = { Names = BlockPlan.names run.Layout ofGroup; Positions = ofGroup }
            KroneckerBlock(place, kind, spectrum, run.Theta.DType, run.Theta.Device))

    let private termWarning (risk: EmpiricalRisk) =
        [
            if risk.HasTerm then
                $"{name}: the term without data is left out; damp by its curvature"
        ]

    /// The K-FAC or EK-FAC approximation of the Gauss–Newton or Fisher matrix of a risk's model at θ, with parameters
    /// named by a layout. Each use of weights that multiplies inputs, as in dense layers, convolutions and the
    /// projections of attention, has a block A ⊗ G with the bias that is added to it; tables whose rows are looked up
    /// have a diagonal A; other parameters, such as the scales of normalisation, have their exact block or its
    /// diagonal. What is not known has that too, from one gradient a sample, and a warning. Parameters without
    /// influence have zeros. A term without data is left out, with a warning.
    /// Costs for each batch a forward pass and one pull-back for each column of the kind, and the same again where
    /// eigenvalues are corrected; an eigendecomposition of each factor. Batches are read as by `Hessian.evaluate`, with
    /// the same errors.
    /// Raises OperatorException for a risk that has no model, a criterion that is not convex or couples samples,
    /// ShapeException for θ that does not fit the layout and outputs without a row for each sample,
    /// ArgumentRangeException for corrected eigenvalues without gradients, NonFiniteException for outputs that are not
    /// finite, and DifferentiationException where the model does not depend on θ.
    let estimateWith
        (options: KfacOptions)
        (layout: ParameterLayout)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        : KroneckerOperator =
        check options layout theta
        let run = start options layout risk theta
        // Factors are means over samples, whatever the reduction.
        let definition = { risk.Definition with Reduction = Reduction.Mean }

        let data =
            FixedData(
                name,
                definition,
                theta,
                {
                    Observe = fun data -> [ SampleRows(run.Model data theta) ]
                    Function = fun batch -> run.Model batch.Data
                    Parts = factors run
                }
            )

        let scale = OutputRoots.scale options.Kind risk data.Samples
        let found = spectra run scale data.First
        let spectra = if options.CorrectsEigenvalues then correct run scale data found else found
        let blocks = List.map2 (blocksOf run) run.Plan.Blocks spectra |> List.concat |> List.toArray
        let title = if options.CorrectsEigenvalues then "EK-FAC" else "K-FAC"

        KroneckerOperator(
            $"{title} of {options.Kind}",
            theta.DType,
            theta.Device,
            blocks,
            run.Plan.Warnings @ data.Warnings @ termWarning risk
        )

    /// The K-FAC approximation of the Gauss–Newton matrix of a risk at θ; see `estimateWith`.
    let estimate (layout: ParameterLayout) (risk: EmpiricalRisk) (theta: Tensor) : KroneckerOperator =
        estimateWith KfacOptions.Default layout risk theta
