namespace Curvature.FSharp

open Curvature

/// Running means of Kronecker-factored matrices of the same model (Martens & Grosse 2015, section 5).
module internal KroneckerAverage =

    let private mixed (decay: float) (a: float[]) (b: float[]) =
        Array.map2 (fun old fresh -> decay * old + (1.0 - decay) * fresh) a b

    let private sameBasis (a: BlockSpectrum) (b: BlockSpectrum) =
        a.InputBasis.IsNone && a.OutputBasis.IsNone && b.InputBasis.IsNone && b.OutputBasis.IsNone

    let private spectrum decay (old: KroneckerBlock) (fresh: KroneckerBlock) : BlockSpectrum =
        let a, b = old.Spectrum, fresh.Spectrum
        let mix (x: Tensor) (y: Tensor) = decay * x + (1.0 - decay) * y

        match a.Factors, b.Factors with
        | ValueSome(struct (alpha, _)), ValueSome(struct (beta, _)) when a.InputBasis.IsNone && b.InputBasis.IsNone ->
            let struct (_, g) = (BlockSpectrum.factors a).Value
            let struct (_, h) = (BlockSpectrum.factors b).Value
            BlockSpectrum.ofDiagonalInputs (mixed decay alpha beta) (mix g h)
        | ValueSome _, ValueSome _ ->
            let struct (inputs, g) = (BlockSpectrum.factors a).Value
            let struct (others, h) = (BlockSpectrum.factors b).Value
            BlockSpectrum.ofFactors (mix inputs others) (mix g h)
        | _ when sameBasis a b -> BlockSpectrum.ofDiagonal (mixed decay a.Values b.Values)
        | _ when fresh.Kind = KroneckerBlockKind.Exact ->
            BlockSpectrum.ofMatrix (mix (old.ToMatrix()) (fresh.ToMatrix()))
        // Eigenvalues in other eigenvectors have no mean; the last ones count.
        | _ -> b

    /// decay·old + (1 − decay)·fresh, factor by factor; the fresh one alone where the decay is 0. Blocks with corrected
    /// eigenvalues are those of the fresh one.
    let mix (decay: float) (old: KroneckerOperator) (fresh: KroneckerOperator) : KroneckerOperator =
        if decay = 0.0 || old.Blocks.Count <> fresh.Blocks.Count then
            fresh
        else
            let blocks =
                Seq.map2
                    (fun (old: KroneckerBlock) (fresh: KroneckerBlock) ->
                        fresh.Map(fresh.Kind, fun _ -> spectrum decay old fresh))
                    old.Blocks
                    fresh.Blocks
                |> Seq.toArray

            KroneckerOperator(fresh.Name, fresh.DType, fresh.Device, blocks, List.ofSeq fresh.Warnings)
